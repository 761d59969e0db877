"""The options of `dynreg hub`."""

import argparse

from ..errors import ToolError
from ..extras import load
from ..hub.addresses import LOOPBACK
from ..hub.choices import AUTH_MODES, KEY_KINDS, REGISTER_LIMIT, register_type
from ..hub.limits import Limits
from .hub_help import SECRET_VARIABLE


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
        type=register_type,
        metavar="TYPE",
        default=2,
        help="off (0): no registration; pre-created (1): only devices created beforehand; "
        "auto-create (2): any device (default)",
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
