"""`dynreg deploy`: library, certificates, programs and device_info.json onto boards."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from ..boards import apply, batch, content, fleet, mistakes
from ..boards.content import Content, Options
from ..boards.link import Link, over_resets
from ..boards.plan import Inventory, plan
from ..console import Console
from . import shared

DESCRIPTION = """\
Brings boards to what lies here: lib/ (compiled for the release that the board runs), certs/ beside
device_info.json, boot.py, main.py and device_info.json. Only what changed goes over the cable, all
is checked by its SHA-256, the board's credential stays. A cable may be pulled at any moment: the
board starts with the old files or the new ones, and the same command goes on."""
EXAMPLE = """\
examples:
  dynreg deploy --port /dev/ttyUSB0
  dynreg deploy --all --app my_program/      its main.py instead of ours
  dynreg deploy --all --dry-run              what would change"""


def add_what(parser: argparse.ArgumentParser) -> None:
    """What is to go onto the boards; provision has the same."""
    what = parser.add_argument_group("what to deploy")
    what.add_argument(
        "--device-info",
        type=Path,
        default=Path("device_info.json"),
        metavar="FILE",
        help="the batch's file (default ./device_info.json); certs/ lies beside it",
    )
    what.add_argument(
        "--app", type=Path, metavar="FOLDER", help="your program: its files go to the board's root"
    )
    what.add_argument(
        "--force",
        action="store_true",
        help="our boot.py and main.py in place of a board's own; a copy stays as main.py.old",
    )
    form = what.add_mutually_exclusive_group()
    form.add_argument("--mpy", action="store_true", help="lib/ compiled (the default)")
    form.add_argument("--source", action="store_true", help="lib/ as it is, to look into")


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser)
    add_what(parser)
    shared.add_jobs(parser)
    parser.add_argument("--no-reset", action="store_true", help="leave the board at its prompt")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, no more")
    parser.add_argument("--json", action="store_true", help="one JSON object a board")


def run(options: argparse.Namespace) -> int:
    """0 when every board holds what it should, else 1."""
    console = Console(options.json)
    asked = asked_for(options)
    what = read(options, asked)
    ports = shared.ports(options)
    mistakes.check(what.batch, len(ports))
    rows: list[fleet.Row] = []

    def work(port: str, stop: threading.Event, step: fleet.Step) -> fleet.Row:
        def deploy(link: Link) -> fleet.Row:
            step("comparing", 0)
            row = to_board(link, what, apply.take_inventory(link, what), asked, step)
            if options.no_reset:
                link.running = False
            elif not options.dry_run:
                link.reset()
            return row

        return over_resets(port, stop, deploy)

    def each(row: fleet.Row) -> None:
        rows.append(row)
        console.result(row)
        for line in describe(row, options.dry_run):
            console.say(line)

    try:
        fleet.run(ports, work, options.jobs, console.progress(ports, "deploying"), each)
    finally:  # also after Ctrl-C
        good = [row for row in rows if "error" not in row]
        console.actions(rows)
        if len(ports) > 1:
            console.say(f"{len(good)} of {len(ports)} good")
    return 0 if len(good) == len(ports) else 1


def asked_for(options: argparse.Namespace) -> Options:
    """What the options of add_what() ask for."""
    return Options(options.app, options.source, options.dry_run, options.force)


def read(options: argparse.Namespace, asked: Options) -> Content:
    """All that is to go onto boards, once it is there and compiles; else BoardError."""
    return content.read(batch.read(options.device_info), asked)


def to_board(
    link: Link, what: Content, found: Inventory, asked: Options, step: fleet.Step
) -> fleet.Row:
    """Deploys to one open board; its row."""
    planned = plan(what, found)
    row = {"mac": found.board["mac"], "device": found.board["device"]} | planned.report
    if not asked.dry_run:
        row["kept"] = apply.apply(link, planned, step)
    row["notes"] = [*link.notes, *row["notes"]]
    return row


def describe(row: fleet.Row, dry_run: bool) -> list[str]:
    """A board's row in words."""
    if "error" in row:
        return [f"{row['port']}  {row['error']}: {row['message']}"]
    info = {
        "same": "device_info.json unchanged",
        "new": "device_info.json new",
        "changed": "device_info.json changed",
        "kept": "device_info.json changed, the credential kept",
        "damaged": "device_info.json was damaged, the old one is device_info.json.bad",
    }[row["device_info"]]
    would = "would be " if dry_run else ""
    lines = [f"{row['port']}  {note}" for note in row["notes"]]
    lines += [
        f"{row['port']}  {path} of the board's own {would}kept as {copy}"
        for path, copy in row["kept"].items()
    ]
    if dry_run:
        lines += [f"{row['port']}  would write {path}" for path in row["written"]]
        lines += [f"{row['port']}  would remove {path}" for path in row["removed"]]
    lines.append(
        f"{row['port']}  {row['mac']}  {len(row['written'])} files {would}written "
        f"({row['bytes'] / 1024:.1f} KB), {row['unchanged']} unchanged, "
        f"{len(row['removed'])} removed, {info}, {row['seconds']} s"
    )
    return lines
