"""`dynreg hub`: runs the local hub; its sub-commands ask one that runs (hub_client.py)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from asyncio import sslproto
from dataclasses import fields
from typing import TYPE_CHECKING

from ..extras import load
from ..hub.addresses import host_port
from . import (
    hub_devices,
    hub_faults,
    hub_messages,
    hub_options,
    hub_places,
    hub_services,
    hub_updates,
)
from .hub_help import DESCRIPTION, EXAMPLE, SECRET_VARIABLE
from .hub_lines import Lines
from .hub_output import Output

if TYPE_CHECKING:
    from ..hub import Hub

__all__ = ["DESCRIPTION", "EXAMPLE", "add_options", "run"]
_TICK = 1.0
_NO_PSK = "dynreg: no TLS-PSK here: Python 3.13 and later have it"
_TLS_BUFFER = 16 * 1024  # bytes: a TLS record holds no more


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a hub, and the sub-commands that ask a running one."""
    hub_options.add_options(parser)
    parser.set_defaults(ask=None)
    commands = parser.add_subparsers(
        title="of a running hub", dest="of_running", metavar="[command]", required=False
    )
    for group in (hub_devices, hub_messages, hub_services, hub_updates, hub_faults):
        group.add_commands(commands)


def run(options: argparse.Namespace) -> int:
    """0 at a signal or --stop-after; HubError where it cannot start."""
    if options.ask is not None:
        return options.ask(options)
    if options.list_faults:
        faults = load("hub.faults", "hub")
        rows = [kind.row() for kind in faults.CATALOGUE.values()]
        print(json.dumps(rows) if options.json else faults.table())
        return 0
    settings = {
        one.name: getattr(options, one.name)
        for one in fields(load("hub.settings", "hub").Settings)
        if one.name in options
    }
    if settings["product_secret"] is None:
        settings["product_secret"] = os.environ.get(SECRET_VARIABLE) or None
    # asyncio has 256 KB of each TLS connection to itself; this process is the hub's alone.
    sslproto.SSLProtocol.max_size = _TLS_BUFFER
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    lines = None if options.json or not sys.stdout.isatty() else Lines()
    # When nobody reads any more the hub ends.
    with Output(lines.event if lines else json.dumps, gone=over.set) as output:
        hub = load("hub.hub", "hub").Hub(
            on_event=output.put, record=False, payloads=options.payloads, **settings
        )
        hub.start()
        ready = _ready_line(hub)
        with hub_places.announced(hub.workbench, hub.product_id):
            output.begin(lines.ready(ready) if lines else json.dumps(ready))
            if settings["psk"] and not hub.psk:
                print(_NO_PSK, file=sys.stderr)
            _wait(over, options.stop_after)
        hub.stop()
    return 0


def _wait(over: threading.Event, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not over.wait(_TICK if deadline is None else min(_TICK, deadline - time.monotonic())):
        if deadline is not None and time.monotonic() >= deadline:
            break


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
        "workbench": hub.workbench,
        "ca_pem": str(hub.ca_pem),
        "ca_der": str(hub.ca_der),
        "product_id": hub.product_id,
        "auth_mode": hub.auth_mode,
        "psk": hub.psk,
    }
    if hub.made_secret:
        line["product_secret"] = hub.product_secret
    return line
