"""`dynreg ports`: what is connected."""

from __future__ import annotations

import argparse
import threading

from ..boards import apply, discovery, fleet, onboard
from ..boards.link import Link
from ..console import Console

COLUMNS = ("port", "chip", "mac", "micropython", "dynreg", "device", "registered")
DESCRIPTION = "Lists the boards that are connected: chip, MAC, versions, device name."
EXAMPLE = """\
example:
  dynreg ports
  dynreg ports --json | jq -r 'select(.registered | not) | .port'

A board's program is interrupted for the question and started again."""


def add_options(parser: argparse.ArgumentParser) -> None:
    discovery.add_options(parser)
    fleet.add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a board")


def run(options: argparse.Namespace) -> int:
    """0 when every board answered, else 1."""
    console = Console(options.json)
    options.all = True
    ports = discovery.chosen(options)
    rows = []
    fleet.run(ports, look, options.jobs, console.progress(ports, "looking"), rows.append)
    rows.sort(key=lambda row: ports.index(row["port"]))
    for row in rows:
        row.pop("outcome", None)
        row.pop("seconds")
        console.result(row)
    console.table([row for row in rows if "error" not in row], COLUMNS)
    console.errors(rows, "port")
    return 1 if any("error" in row for row in rows) else 0


def look(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
    """One board's row."""
    with Link(port, stop) as link:
        board = apply.identify(link)
        return {
            "chip": chip(board["machine"]),
            "mac": board["mac"],
            "micropython": board["micropython"],
            "dynreg": onboard.call(link, "library"),
            "device": board["device"],
            "registered": board["registered"],
        }


def chip(machine: str) -> str:
    """ESP32S3 from "Generic ESP32S3 module with ESP32S3" (os.uname().machine)."""
    return machine.rsplit(" with ", 1)[-1]
