"""The command line of the local hub: `./dev hub`, or `python -m tools.localhub`."""

import json
import os
import signal
import sys
import threading
import time
from functools import partial

from .arguments import PROG, SECRET_VARIABLE, parser
from .faults import CATALOGUE, table
from .hub import Hub
from .rules import HubError

_TICK = 1.0


def main(argv: list[str] | None = None) -> int:
    """Run the hub until a signal or --stop-after; the exit code."""
    options = vars(parser().parse_args(argv))
    stop_after = options.pop("stop_after")
    listed, as_json = options.pop("list_faults"), options.pop("json")
    if listed:
        rows = [kind.row() for kind in CATALOGUE.values()]
        print(json.dumps(rows) if as_json else table())
        return 0
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
        "dns": "{}:{}".format(*hub.dns),
        "control": hub.control,
        "ca_pem": str(hub.ca_pem),
        "ca_der": str(hub.ca_der),
        "product_id": hub.product_id,
        "auth_mode": hub.auth_mode,
        "psk": hub.psk,
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
