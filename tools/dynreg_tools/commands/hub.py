"""`dynreg hub`: the local hub as a command; its options are those of hub_options.py."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from asyncio import sslproto
from dataclasses import fields
from functools import partial

from ..hub.binding import host_port
from ..hub.faults import CATALOGUE, table
from ..hub.hub import Hub
from ..hub.settings import Settings
from .hub_options import DESCRIPTION, EXAMPLE, SECRET_VARIABLE, add_options

__all__ = ["DESCRIPTION", "EXAMPLE", "add_options", "run"]
_TICK = 1.0
_NO_PSK = "dynreg: no TLS-PSK here: Python 3.13 and later have it"
_TLS_BUFFER = 16 * 1024  # bytes: a TLS record holds no more


def run(options: argparse.Namespace) -> int:
    """0 at a signal or --stop-after; HubError where it cannot start."""
    if options.list_faults:
        rows = [kind.row() for kind in CATALOGUE.values()]
        print(json.dumps(rows) if options.json else table())
        return 0
    settings = {
        one.name: getattr(options, one.name) for one in fields(Settings) if one.name in options
    }
    if settings["product_secret"] is None:
        settings["product_secret"] = os.environ.get(SECRET_VARIABLE) or None
    # asyncio has 256 KB of each TLS connection to itself; this process is the hub's alone.
    sslproto.SSLProtocol.max_size = _TLS_BUFFER
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    starting = threading.Lock()  # the ready line comes first, whatever happens meanwhile
    with starting:
        hub = Hub(on_event=partial(_print_after, starting, over), record=False, **settings)
        hub.start()
        _print(over, _ready_line(hub))
        if settings["psk"] and not hub.psk:
            print(_NO_PSK, file=sys.stderr)
    until = options.stop_after
    deadline = None if until is None else time.monotonic() + until
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
        "ntp": host_port(*hub.ntp),
        "dns": host_port(*hub.dns),
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
