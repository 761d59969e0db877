"""`dynreg provision --loop`: boards are plugged in and out, each is done as it appears."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress

from .. import signs as words
from ..boards import discovery, fleet, plugged
from ..boards.plugged import Plugged, Seen
from ..boards.report import GOOD
from ..boards.shift import Shift
from ..console import Console
from ..signs import Sign

Record = Callable[[fleet.Row], None]
Words = Callable[[fleet.Row, str], str]


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a production line")
    group.add_argument(
        "--loop",
        action="store_true",
        help="go on with boards as they are plugged in, until Ctrl-C; a large word for each port",
    )
    group.add_argument("--no-bell", action="store_true", help="no sound when a board is done")


def run(
    options: argparse.Namespace,
    console: Console,
    work: fleet.Work,
    record: Record,
    sentence: Words,
) -> int:
    """0 when no board of the shift has failed, else 1. Ctrl-C ends it."""
    if not options.port:
        discovery.virtual_ports(options.virtual)  # says so where there is no such folder
    shift = Shift()
    told: set[str] = set()  # errors of which it was said what to do about them
    signs = console.signs(_head(shift))

    def look() -> Seen | None:
        return plugged.look(options.port, options.virtual)

    def came(port: str) -> None:
        signs.show(port, Sign(words.WAIT))

    def other(port: str, what: str) -> None:
        console.say(f"{port}  is {what}, no ESP32 board's adapter: left alone")

    ports = Plugged(look, came, signs.away, other)

    def each(row: fleet.Row) -> None:
        failed = row["outcome"] == "failed" and row["error"] != "interrupted"
        again = ports.finished(row["port"], failed)
        shift.count(row)  # before it is told, after which Ctrl-C may come at any moment
        record(row)
        shown = row | {"outcome": "good already"} if row["outcome"] == "skipped" else row
        text = sentence(shown, f"[{shift.good} good, {shift.failed} failed]")
        console.say(text + ("  trying once more" if again else ""))
        if row.get("error") and not again and row["error"] not in told:
            told.add(row["error"])
            console.actions([row])
        signs.show(row["port"], sign(shown, again))
        if not ports.there(row["port"]):
            signs.away(row["port"])
        signs.counters = _head(shift)
        if not (again or options.no_bell):
            console.bell()

    console.say("plug boards in; Ctrl-C ends")
    with suppress(KeyboardInterrupt):  # the way in which a shift ends
        fleet.follow(ports.due, work, options.jobs, signs, each)
    console.say(f"{shift}" + (f", see {options.report}" if options.report else ""))
    return 1 if shift.failed else 0


def sign(row: fleet.Row, again: bool) -> Sign:
    """What a port shows once its board is done."""
    who = row.get("device") or row.get("mac") or ""
    if row["outcome"] == "failed":
        code = row["error"] + (": trying once more" if again else "")
        return Sign(words.BUSY if again else words.FAIL, who, code, row["what_to_do"])
    return Sign(words.GOOD, who, "" if row["outcome"] == GOOD else row["outcome"])


def _head(shift: Shift) -> str:
    return f"{shift}. Plug boards in; Ctrl-C ends"
