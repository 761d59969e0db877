"""The options of `dynreg hub` and its help, which documents ports and events too."""

import argparse
import textwrap

from ..errors import ToolError
from ..extras import load
from ..hub.addresses import LOOPBACK
from ..hub.choices import AUTH_MODES, KEY_KINDS, REGISTER_LIMIT
from ..hub.events import EVENTS
from ..hub.limits import Limits

PROG = "dynreg hub"
SECRET_VARIABLE = "DYNREG_PRODUCT_SECRET"
_WIDTH = 96

DESCRIPTION = """\
A local stand-in for Tencent Cloud IoT Hub, for development and tests:
registration over HTTP and HTTPS, MQTT over TCP and TLS, the time over SNTP."""
_EXAMPLE = f"""\
example:
  {PROG} --data hub-data --port-base 8080 --device esp32-a0b1c2d3e4f5

  Prints where all of it is once all ports are open, the page for a browser first, then a line
  for every event; in a pipe, or with --json, JSON lines. The first ("ready") has the URLs, the CA
  certificate's files (put ca_der on the board), the product id, its auth mode, whether mqtts
  takes TLS-PSK (psk; not every Python can), and product_secret when the hub made it itself. Every
  other has "event" and "at" (UTC), with --payloads also "payload" ("text" or "hex") where it is a
  message. No line ever holds a device secret, a private key, a password or a signature. Who stops
  reading does not stop the hub; who closes the pipe does, and so does Ctrl-C.

while it runs (each with --help; docs/hub.md):
  {PROG} devices
  {PROG} send esp32-a0b1c2d3e4f5 control '{{"led":1}}'
  {PROG} watch --event publish

auth modes:
  key    registration gives a device a secret (psk), with which it signs its MQTT password;
         over mqtts the secret may also be the key of TLS-PSK, the client id its identity
  cert   registration gives it a certificate and its key, or with --own-ca confirms the one that
         the device sent along; it logs in with that one over mqtts only, and needs no password
  The mode belongs to the product and is kept with it in --data. It can be changed only while the
  product has no registered device.

ports:
  P http   P+1 https   P+2 mqtt   P+3 mqtts   P+4 ntp (UDP)   P+5 dns (UDP)   P+6 control
  The last is for the page and the HTTP interface (docs/hub.md), on 127.0.0.1 whatever --host says.

faults:
  {PROG} --fault tls-expired@broker --fault 'http-page:503*2'
  {PROG} faults on 'mqtt-connack:5*3'
  {PROG} faults off
  docs/faults.md has the catalogue.

events:
"""


EXAMPLE = _EXAMPLE + "\n".join(
    textwrap.fill(
        f"{name:<15}{meaning}",
        _WIDTH,
        initial_indent="  ",
        subsequent_indent=" " * 17,
        break_on_hyphens=False,
    )
    for name, meaning in EVENTS.items()
)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more seconds")
    return value


def _fault(text: str) -> str:
    try:
        load("hub.faults", "hub").parse(text)
    except ToolError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None
    return text


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


_seconds.__name__, _natural.__name__ = "number of seconds", "number"  # for argparse's messages


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line's arguments."""
    add = parser.add_argument
    add(
        "--data",
        metavar="DIR",
        help="keep products, devices and the CAs here (default: a "
        "temporary directory, removed at the end)",
    )
    add("--product-id", metavar="ID", help="default: the one used last in --data, else random")
    add(
        "--product-secret",
        metavar="SECRET",
        help="16 to 32 characters; better given in the "
        f"environment as {SECRET_VARIABLE} (default: the one kept in --data, else random)",
    )
    add(
        "--register-type",
        type=int,
        choices=(0, 1, 2),
        default=2,
        help="0 registration off, 1 only devices created beforehand, 2 any device (default)",
    )
    add(
        "--register-limit",
        type=_natural,
        default=REGISTER_LIMIT,
        metavar="N",
        help="most devices that registration may create (default %(default)s)",
    )
    add(
        "--auth-mode",
        choices=AUTH_MODES,
        help="see below (default: as the product was; a new one cert with --own-ca, else key)",
    )
    add(
        "--own-ca",
        metavar="FILE",
        help="PEM certificate of the CA that issues the product's device certificates "
        "(default: the one kept in --data, else the hub issues them itself)",
    )
    add(
        "--device-key",
        choices=KEY_KINDS,
        default="rsa",
        help="kind of key for device certificates: rsa (2048 bits, default) or ec (P-256)",
    )
    add(
        "--device",
        action="append",
        default=[],
        metavar="NAME",
        dest="devices",
        help="create a device beforehand; may be repeated",
    )
    add(
        "--host",
        default="127.0.0.1",
        help="IPv4 address or name to listen on (default "
        "%(default)s); for real boards this machine's address in their network, which the "
        "certificate then names",
    )
    add(
        "--port-base",
        type=_natural,
        default=0,
        metavar="P",
        help="first of seven ports in a row, see below (default 0: free ports)",
    )
    add(
        "--time-window",
        type=_seconds,
        default=Limits().time_window,
        metavar="SECONDS",
        help="how far a "
        "registration's timestamp may be off (default %(default)g); 0 as timestamp always "
        "passes",
    )
    add(
        "--connect-interval",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="refuse a "
        "device's second login within this time; the cloud's limit is 5 (default 0: no limit)",
    )
    add(
        "--cert-key",
        choices=KEY_KINDS,
        default="rsa",
        help="kind of key for the hub's own certificate: rsa (2048 bits, default) or ec (P-256)",
    )
    add(
        "--no-psk",
        action="store_false",
        dest="psk",
        help="refuse TLS-PSK on mqtts, like a cloud that no longer offers it",
    )
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME[@SERVICE][:ARG][*TIMES]",
        dest="faults",
        help="let this go wrong, TIMES times or until it is switched off; may be repeated",
    )
    add("--faults", action="store_true", dest="list_faults", help="print the faults and end")
    add(
        "--control-host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help="where the page and the HTTP interface are (default %(default)s); any other address "
        "asks for the token that is printed with the URL",
    )
    add("--payloads", action="store_true", help="show what messages hold")
    add("--json", action="store_true", help="JSON lines in a terminal too; also for --faults")
    add("--stop-after", type=_seconds, metavar="SECONDS", help="end by itself after this time")
