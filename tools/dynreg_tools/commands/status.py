"""`dynreg status`: how each board stands, in its own words."""

from __future__ import annotations

import argparse
import re
import threading
from typing import Any

from ..boards import answers, fleet, onboard
from ..boards.flashing import contents
from ..boards.link import Link, over_resets
from ..console import Console
from . import shared

COLUMNS = (
    *("port", "mac", "device", "registered", "copy 1", "copy 2"),
    *("clock", "fingerprint", "micropython"),
)
DESCRIPTION = "Shows Device.status() of each board: name, credential, both copies, clock."
EXAMPLE = """\
examples:
  dynreg status --port /dev/ttyUSB0
  dynreg status --all --json

A board's program is interrupted for the question and started again."""
add_options = shared.add_questions
_NOT_TOLD = ("port", "error", "message", "what_to_do", "state")  # names of ours, never status()'s


def run(options: argparse.Namespace) -> int:
    """0 when every board could say, else 1."""
    console = Console(options.json)
    ports = shared.ports(options)
    rows = shared.ask(options, ports, look, "asking", console)
    for row in rows:
        shown = row.get("state") or {name: row[name] for name in row if name != "state"}
        console.result({"port": row["port"], **shown})
    if len(ports) == 1:
        (row,) = rows
        for name, value in row.items():
            if name != "state":
                console.say(value if name == "port" else f"  {name.replace('_', ' '):12} {value}")
    else:
        show(rows, console)
    return 1 if any("error" in row for row in rows) else 0


def show(rows: list[fleet.Row], console: Console) -> None:
    """Several boards: one table, what is wrong and what to do, a summary."""
    answered = [brief(row) for row in rows if "error" not in row]
    if answered:
        console.table(answered, COLUMNS, spare=("clock", "micropython", "fingerprint"))
    console.errors(rows, "port", "error")
    console.actions(rows)
    registered = sum(row["registered"] for row in answered)
    good = sum(row["copy 1"] == row["copy 2"] == "good" for row in answered)
    console.say(
        f"{registered} of {len(rows)} registered, {good} with both copies good"
        + (f", {len(rows) - len(answered)} could not say" if len(answered) < len(rows) else "")
    )


def brief(row: fleet.Row) -> fleet.Row:
    """A board's answer as a row of the table; from the text where the library has no state()."""
    state = row["state"] or {}
    known = {
        "device": row.get("device", "-").split(" of product ")[0],
        "fingerprint": row.get("credential", "").rpartition(" ")[2],
        "copy 1": row.get("copy_1", "").rpartition(": ")[2],
        "copy 2": row.get("copy_2", "").rpartition(": ")[2],
        "clock": "not set" if "(not set)" in row.get("clock", "") else "set",
    }
    return {
        "port": row["port"],
        "mac": contents.format_mac(state.get("mac") or "") or None,
        "registered": row.get("registered") != "no",
        "micropython": [*row.get("firmware", "").split(" "), "-", "-"][1],
    } | {name: None if value in ("", "None") else value for name, value in known.items()}


def look(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
    """One board's state, by the names that status() gives; "state": what state() gives, if any."""

    def ask(link: Link) -> Any:
        onboard.send(link, "status")
        return onboard.call(link, "status", timeout=30)

    return told(port, over_resets(port, stop, ask))


def told(port: str, answer: Any) -> fleet.Row:
    """The row of what status() of onboard/status.py answered. BoardError "board.answer"."""
    if isinstance(answer, dict) and "error" in answer:
        answers.checked(port, answer, answers.NO_STATUS)
        return {"error": answer["error"], "message": answer["message"]}
    answers.checked(port, answer, answers.STATUS)
    state = answer["state"]  # in an order of its own: a dict has none on MicroPython
    return {**parsed(answer["text"]), "state": state and dict(sorted(state.items()))}


def parsed(text: str) -> dict[str, str]:
    """{name: value} of status()'s lines, where at least two spaces lie between the two."""
    pairs = (re.split(r" {2,}", line.strip(), maxsplit=1) for line in text.splitlines())
    found = {pair[0].replace(" ", "_"): pair[1] for pair in pairs if len(pair) == 2}
    return {name: value for name, value in found.items() if name not in _NOT_TOLD}
