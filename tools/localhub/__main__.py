"""The command line of the local hub: `./dev hub`, or `python -m tools.localhub`."""

import argparse
import json
import os
import signal
import sys
import textwrap
import threading
import time
from functools import partial

from .certificates import KEY_TYPES
from .events import EVENTS
from .hub import Hub
from .rules import HubError
from .server import REGISTER_LIMIT, TIME_WINDOW

PROG = "dev hub"
SECRET_VARIABLE = "DYNREG_PRODUCT_SECRET"
_TICK = 1.0
_WIDTH = 96

_EXAMPLE = f"""\
example:
  {PROG} --data hub-data --port-base 8080 --device esp32-a0b1c2d3e4f5

  Prints one JSON line once all ports are open ("ready"), with the URLs, the CA certificate's
  files (put ca_der on the board), the product id, and product_secret when the hub made it
  itself. Then one JSON line for every event, each with "event" and "at" (UTC). No line ever
  holds a device secret, a password, a signature or a payload. Stop it with Ctrl-C.

ports:
  P http   P+1 https   P+2 mqtt   P+3 mqtts   P+4 ntp (UDP)

events:
"""


def _epilog() -> str:
    events = [
        textwrap.fill(
            f"{name:<15}{meaning}",
            _WIDTH,
            initial_indent="  ",
            subsequent_indent=" " * 17,
            break_on_hyphens=False,
        )
        for name, meaning in EVENTS.items()
    ]
    return _EXAMPLE + "\n".join(events)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more seconds")
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


_seconds.__name__, _natural.__name__ = "number of seconds", "number"  # for argparse's messages


def parser() -> argparse.ArgumentParser:
    """The command line's arguments."""
    args = argparse.ArgumentParser(
        prog=PROG,
        description="A local stand-in for Tencent Cloud IoT Hub, for development and tests:\n"
        "registration over HTTP and HTTPS, MQTT over TCP and TLS, the time over SNTP.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = args.add_argument
    add(
        "--data",
        metavar="DIR",
        help="keep products, devices and the CA here (default: a "
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
        help="first of five ports in a row, see below (default 0: free ports)",
    )
    add(
        "--time-window",
        type=_seconds,
        default=TIME_WINDOW,
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
        choices=sorted(KEY_TYPES),
        default="rsa",
        help="kind of the certificate's key: rsa (2048 bits, default) or ec (P-256)",
    )
    add("--stop-after", type=_seconds, metavar="SECONDS", help="end by itself after this time")
    return args


def main(argv: list[str] | None = None) -> int:
    """Run the hub until a signal or --stop-after; the exit code."""
    options = vars(parser().parse_args(argv))
    stop_after = options.pop("stop_after")
    if options["product_secret"] is None:
        options["product_secret"] = os.environ.get(SECRET_VARIABLE) or None
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    starting = threading.Lock()  # the ready line comes first, whatever happens meanwhile
    starting.acquire()
    try:
        hub = Hub(on_event=partial(_print_after, starting, over), record=False, **options)
        hub.start()
    except HubError as exc:
        print(f"{PROG}: {exc}", file=sys.stderr)
        return 1
    _print(over, _ready_line(hub))
    starting.release()
    deadline = None if stop_after is None else time.monotonic() + stop_after
    while not over.wait(_TICK if deadline is None else min(_TICK, deadline - time.monotonic())):
        if deadline is not None and time.monotonic() >= deadline:
            break
    hub.stop()
    return 0


def _ready_line(hub: Hub) -> dict:
    line = {
        "ready": True,
        "http": hub.http,
        "https": hub.https,
        "mqtt": hub.mqtt,
        "mqtts": hub.mqtts,
        "ntp": "{}:{}".format(*hub.ntp),
        "ca_pem": str(hub.ca_pem),
        "ca_der": str(hub.ca_der),
        "product_id": hub.product_id,
    }
    if hub.made_secret:
        line["product_secret"] = hub.product_secret
    return line


def _print_after(starting: threading.Lock, over: threading.Event, event: dict) -> None:
    with starting:
        _print(over, event)


def _print(over: threading.Event, line: dict) -> None:
    """Print one line; when nobody reads any more the hub ends."""
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - or the interpreter's last flush fails
        over.set()


if __name__ == "__main__":
    sys.exit(main())
