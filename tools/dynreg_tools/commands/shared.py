"""What commands that work on boards have in common: options, the ports that these name, rows."""

from __future__ import annotations

import argparse
import os

from ..boards import discovery, fleet
from ..console import Console

VIRTUAL = "DYNREG_VIRTUAL"


def add_ports(parser: argparse.ArgumentParser, several: bool = True) -> None:
    """--port, --all and --virtual, the same for every command."""
    group = parser.add_argument_group("which boards")
    group.add_argument(
        "--port",
        action="extend",
        nargs="+" if several else 1,
        default=[],
        metavar="PORT",
        help="/dev/ttyUSB0, COM3 or a virtual board's" + ("; several will do" * several),
    )
    if several:
        group.add_argument("--all", action="store_true", help="every board connected")
    group.add_argument(
        "--virtual",
        metavar="FOLDER",
        default=os.environ.get(VIRTUAL),
        help=f"also the running virtual boards below FOLDER (or ${VIRTUAL})",
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=count, default=4, metavar="N", help="boards at once (default 4)"
    )


def add_questions(parser: argparse.ArgumentParser) -> None:
    """The options of a command that asks boards and changes nothing."""
    add_ports(parser)
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a board")


def count(text: str) -> int:
    """A number from 1 up, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1 up")
    return int(text)


def ports(options: argparse.Namespace) -> list[str]:
    """The ports that the options ask for. BoardError where it is none, or not clear which."""
    return discovery.chosen(options.port, options.virtual, getattr(options, "all", None))


def ask(
    options: argparse.Namespace, found: list[str], work: fleet.Work, what: str, console: Console
) -> list[fleet.Row]:
    """What each board answers, in the order of the ports, without how long that took."""
    rows: list[fleet.Row] = []
    fleet.run(found, work, options.jobs, console.progress(found, what), rows.append)
    rows.sort(key=lambda row: found.index(row["port"]))
    for row in rows:
        del row["seconds"]
        row.pop("outcome", None)
    return rows
