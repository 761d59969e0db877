"""The options of `dynreg hub` and its help, which documents ports and events too."""

import argparse
import textwrap

from ..hub.events import EVENTS
from ..hub.faults import FaultError, parse
from ..hub.limits import Limits
from ..hub.rules import AUTH_MODES
from ..hub.settings import REGISTER_LIMIT
from ..hub.tls.certificates import KEY_TYPES
from ..hub.tls.device_ca import DEVICE_KEYS

PROG = "dynreg hub"
SECRET_VARIABLE = "DYNREG_PRODUCT_SECRET"
_WIDTH = 96

DESCRIPTION = """\
A local stand-in for Tencent Cloud IoT Hub, for development and tests:
registration over HTTP and HTTPS, MQTT over TCP and TLS, the time over SNTP."""
_EXAMPLE = f"""\
example:
  {PROG} --data hub-data --port-base 8080 --device esp32-a0b1c2d3e4f5

  Prints one JSON line once all ports are open ("ready"), with the URLs, the CA certificate's
  files (put ca_der on the board), the product id, its auth mode, whether mqtts takes TLS-PSK
  (psk; not every Python can), and product_secret when the hub made it itself. Then one JSON
  line for every event, each with "event" and "at" (UTC). No line ever holds a device secret, a
  private key, a password, a signature or a payload. Stop it with Ctrl-C.

auth modes:
  key    registration gives a device a secret (psk), with which it signs its MQTT password;
         over mqtts the secret may also be the key of TLS-PSK, the client id its identity
  cert   registration gives it a certificate and its key, or with --own-ca confirms the one that
         the device sent along; it logs in with that one over mqtts only, and needs no password
  The mode belongs to the product and is kept with it in --data. It can be changed only while the
  product has no registered device.

ports:
  P http   P+1 https   P+2 mqtt   P+3 mqtts   P+4 ntp (UDP)   P+5 dns (UDP)   P+6 control

faults:
  {PROG} --fault tls-expired@broker --fault 'http-page:503*2'
  curl -X PUT 'http://127.0.0.1:8086/faults/mqtt-connack?arg=5&times=3'
  curl http://127.0.0.1:8086/faults
  curl -X DELETE http://127.0.0.1:8086/faults
  The control port is on 127.0.0.1, whatever --host says; docs/faults.md has the catalogue.

events:
"""


EXAMPLE = _EXAMPLE + "\n".join(
    textwrap.fill(
        f"{name:<19}{meaning}",
        _WIDTH,
        initial_indent="  ",
        subsequent_indent=" " * 21,
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
        parse(text)
    except FaultError as exc:
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
        choices=DEVICE_KEYS,
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
        help="address or name to listen on (default "
        "%(default)s); for real boards this machine's address in their network, which the "
        "certificate then names",
    )
    add(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        dest="names",
        help="one more host name or address for the certificate and for the name server, such as "
        "*.iotcloud.tencentdevices.com; may be repeated",
    )
    add(
        "--strict",
        action="store_true",
        help="refuse what the cloud takes but this project's library never sends: MQTT 3.1, other "
        "app ids, hmacsha1, the C SDK's timestamp, sessions that are kept",
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
        "--nodelay",
        action="store_true",
        help="send every small answer at once (TCP_NODELAY); else, as the system has it, one may "
        "wait until the one before it is acknowledged, which takes 40 ms or more: brokers differ",
    )
    add(
        "--login-ms",
        type=_natural,
        default=0,
        metavar="N",
        help="milliseconds from a CONNECT to its CONNACK (default 0)",
    )
    add(
        "--reply-ms",
        type=_natural,
        default=0,
        metavar="N",
        help="milliseconds from a whole request to register, which counts at once, to its reply "
        "(default 0)",
    )
    add(
        "--stored-interval",
        type=_seconds,
        default=Limits().stored_interval,
        metavar="SECONDS",
        help="between two messages that a persistent session has kept (default %(default)g)",
    )
    add(
        "--cert-key",
        choices=sorted(KEY_TYPES),
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
    add("--json", action="store_true", help="with --faults: as JSON")
    add("--stop-after", type=_seconds, metavar="SECONDS", help="end by itself after this time")
