"""`dynreg ports`: what is connected."""

from __future__ import annotations

import argparse
import threading

from ..boards import answers, apply, discovery, facts, fleet, onboard
from ..boards.link import Link, over_resets
from ..console import Console
from . import shared

COLUMNS = ("port", "chip", "mac", "micropython", "dynreg", "device", "registered")
DESCRIPTION = "Lists the boards that are connected: chip, MAC, versions, device name."
EXAMPLE = """\
example:
  dynreg ports
  dynreg ports --json | jq -r 'select(.registered | not) | .port'

A board's program is interrupted for the question and started again."""


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_questions(parser)
    parser.add_argument("--names", action="store_true", help="only the ports; no board is asked")


def run(options: argparse.Namespace) -> int:
    """0 when every board answered, else 1."""
    console = Console(options.json)
    ports = discovery.chosen(options.port, options.virtual, every=True)
    if options.names:
        for port in ports:
            console.result({"port": port})
            console.say(port)
        return 0
    rows = shared.ask(options, ports, look, "looking", console)
    for row in rows:
        console.result(row)
    if found := [row for row in rows if "error" not in row]:
        console.table(found, COLUMNS, spare=("chip", "micropython", "dynreg"))
    console.errors(rows, "port", "error")
    return 1 if any("error" in row for row in rows) else 0


def look(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
    """One board's row."""

    def ask(link: Link) -> fleet.Row:
        board = apply.identify(link)
        return {
            "chip": facts.chip(board["machine"]),
            "mac": board["mac"],
            "micropython": board["micropython"],
            "dynreg": answers.one(
                port, onboard.call(link, "library"), answers.optional(answers.text)
            ),
            "device": board["device"],
            "registered": board["registered"],
        }

    return over_resets(port, stop, ask)
