"""`dynreg status`: how each board stands, in its own words."""

from __future__ import annotations

import argparse
import re
import threading

from ..boards import fleet, onboard
from ..boards.link import Link
from ..console import Console
from . import shared

DESCRIPTION = "Shows Device.status() of each board: name, credential, both copies, clock."
EXAMPLE = """\
examples:
  dynreg status --port /dev/ttyUSB0
  dynreg status --all --json

A board's program is interrupted for the question and started again."""
add_options = shared.add_questions


def run(options: argparse.Namespace) -> int:
    """0 when every board could say, else 1."""
    console = Console(options.json)
    rows = shared.ask(options, shared.ports(options), look, "asking", console)
    for row in rows:
        state = row.pop("state", None)
        console.result({"port": row["port"], **state} if state else row)
        for name, value in row.items():
            console.say(value if name == "port" else f"  {name.replace('_', ' '):12} {value}")
    return 1 if any("error" in row for row in rows) else 0


def look(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
    """One board's state, by the names that status() gives; "state": what state() gives, if any."""
    with Link(port, stop) as link:
        onboard.send(link, "status")
        answer = onboard.call(link, "status", timeout=30)
    if "error" in answer:
        return {"error": answer["error"], "message": answer["message"]}
    state = answer["state"]  # in an order of its own: a dict has none on MicroPython
    return {**parsed(answer["text"]), "state": state and dict(sorted(state.items()))}


def parsed(text: str) -> dict[str, str]:
    """{name: value} of status()'s lines, where at least two spaces lie between the two."""
    pairs = (re.split(r" {2,}", line.strip(), maxsplit=1) for line in text.splitlines())
    return {pair[0].replace(" ", "_"): pair[1] for pair in pairs if len(pair) == 2}
