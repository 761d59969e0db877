"""`dynreg flash`: MicroPython or a batch's image into boards, never at a credential's expense."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..boards import fleet
from ..boards.errors import BoardError
from ..boards.flashing import BAUD, chips
from ..console import Console
from . import shared

if TYPE_CHECKING:  # esptool takes half a second
    from ..boards.flashing.job import Order

DESCRIPTION = """\
Writes a MicroPython firmware, or a batch's image, into boards. Chip, flash size and the file are
checked before a byte is written, the flash is compared with the file after it.

The files of a board and its NVS stay as they are: NVS is left out of what is written (esptool
alone would erase it). --image (of 'dynreg image') brings new files too, and keeps NVS, from where
a registered board takes its credential back at its next start. With --erase all is lost, also the
credential that the cloud gives only once: a board that holds one, or may, is erased only when it
is named by --erase-registered."""
EXAMPLE = """\
examples:
  dynreg flash --port /dev/ttyUSB0 --firmware ESP32_GENERIC-20260801-v1.29.0.bin
  dynreg flash --all --firmware downloads/       of that folder the right file for each chip
  dynreg flash --all --image batch.bin           a whole batch, ready to start
  dynreg flash --all --jobs 4 --firmware ESP32_GENERIC-20260801-v1.29.0.bin --dry-run
  dynreg flash --port COM3 --firmware fw.bin --erase --erase-registered esp32-246f28aabbcc \\
               --save-identity safe/ --restore-identity safe/

Ctrl-C: boards that are being written are finished, no other is begun."""


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser)
    shared.add_jobs(parser)
    what = parser.add_argument_group("what to do")
    which = what.add_mutually_exclusive_group()
    which.add_argument(
        "--firmware", type=Path, metavar="FILE.bin", help="of micropython.org, or a folder of them"
    )
    which.add_argument("--image", type=Path, metavar="FILE.bin", help="of 'dynreg image'")
    what.add_argument(
        "--force", action="store_true", help="--image also over a boot.py or main.py of your own"
    )
    what.add_argument("--erase", action="store_true", help="all of the flash, first")
    what.add_argument(
        "--erase-registered",
        metavar="NAME",
        action="append",
        default=[],
        help="device name or MAC of a board that may lose its credential; may be repeated",
    )
    what.add_argument(
        "--save-identity", metavar="FOLDER", type=Path, help="first save its credential there"
    )
    what.add_argument(
        "--restore-identity", metavar="FOLDER", type=Path, help="bring it back from there after it"
    )
    what.add_argument("--dry-run", action="store_true", help="all checks, nothing is written")
    what.add_argument("--json", action="store_true", help="one JSON object a board")
    add_loader(parser)


def add_loader(parser: argparse.ArgumentParser) -> None:
    """How to reach a board's ROM loader; provision has the same."""
    how = parser.add_argument_group("how to reach the loader (esptool's names)")
    how.add_argument(
        "--before",
        choices=("default-reset", "usb-reset", "no-reset"),
        default="default-reset",
        help="no-reset: you have held BOOT and pressed RESET, the board waits in its loader",
    )
    how.add_argument(
        "--after", choices=("hard-reset", "watchdog-reset", "no-reset"), default="hard-reset"
    )
    how.add_argument("--baud", type=int, default=BAUD, help=f"default {BAUD}")
    how.add_argument(
        "--no-stub", action="store_true", help="the chip's ROM alone: slow, no --erase"
    )


def run(options: argparse.Namespace) -> int:
    """0 when every board was flashed, else 1. esptool is imported here: it takes half a second."""
    from ..boards.flashing.job import Job

    console = Console(options.json)
    order = _order(options)
    ports = shared.ports(options)
    for line in _files(order):
        console.say(line)
    rows: list[fleet.Row] = []

    def each(row: fleet.Row) -> None:
        rows.append(row)
        console.result(row)
        for line in describe(row):
            console.say(line)

    def work(port: str, stop: threading.Event, step: fleet.Step) -> fleet.Row:
        return Job(port, order, stop, step).run()

    try:
        fleet.run(ports, work, options.jobs, console.progress(ports, "flashing"), each)
    finally:  # also after Ctrl-C
        good = [row for row in rows if "error" not in row]
        console.actions(rows)
        console.say(f"{len(good)} of {len(ports)} good")
    return 0 if len(good) == len(ports) else 1


def describe(row: fleet.Row) -> list[str]:
    """A board's row in words."""
    port = row["port"]
    lines = [f"{port}  {note}" for note in row.get("notes", ())]
    if "error" in row:
        return [*lines, f"{port}  {row['error']}: {row['message']}"]
    board = "  ".join(row[key] for key in ("chip", "mac", "device") if row[key])
    credential = _CREDENTIAL_TEXT[row["credential"]]
    if row["outcome"] == "dry run":
        credential = credential.replace("was", "would be")
    return [*lines, f"{port}  {board}  {row['outcome']}, {credential}, {row['seconds']} s"]


_CREDENTIAL_TEXT = {
    "kept": "its credential was kept",
    "lost": "its credential was erased",
    "restored": "its credential was restored",
    "none": "it had no credential",
    "unknown": "whether it had a credential is not known",
}


def _order(options: argparse.Namespace) -> Order:
    """What the options ask for; BoardError where they make no sense together."""
    from ..boards.flashing import batchimage, choice
    from ..boards.flashing.job import Order

    if options.firmware is None and options.image is None and not options.erase:
        raise BoardError(
            "argument",
            f"--firmware (or --image) is missing: download {chips.downloads()} from "
            "micropython.org/download",
        )
    if options.erase and options.no_stub:
        raise BoardError("argument", "--erase needs esptool's stub: leave --no-stub out")
    if options.restore_identity and options.image:
        raise BoardError(
            "argument",
            "--restore-identity goes with --firmware: an image's program would register the board "
            "before; flash the firmware so first, then the image, which keeps NVS",
        )
    if options.restore_identity and not options.firmware:
        raise BoardError(
            "argument", "--restore-identity needs --firmware: an erased board has none"
        )
    if options.restore_identity and options.after == "no-reset":
        raise BoardError(
            "argument", "--restore-identity needs the board to start: leave --after out"
        )
    image = batchimage.read(options.image) if options.image else None
    return Order(
        firmware=choice.read(options.firmware) if options.firmware else image and image.firmware,
        image=image,
        erase=options.erase,
        erase_registered=frozenset(_name(word) for word in options.erase_registered),
        save=options.save_identity,
        restore=options.restore_identity,
        force=options.force,
        dry_run=options.dry_run,
        before=options.before,
        after=options.after,
        stub=not options.no_stub,
        baud=options.baud,
    )


def _files(order: Order) -> list[str]:
    """What is to be written, in words."""
    from ..boards.flashing.choice import Folder

    if isinstance(order.firmware, Folder):
        return [f"left out: {why}" for why in order.firmware.wrong]
    if order.firmware is None:
        return []
    file = order.firmware
    batch = f", and {len(order.image.files)} files" if order.image else ""
    return [f"{file.path.name}: {file.version} for {file.chip.name}{batch}"]


def _name(word: str) -> str:
    """A device's name as it is; a MAC without its colons."""
    return word.replace(":", "").lower() if word.count(":") == 5 else word
