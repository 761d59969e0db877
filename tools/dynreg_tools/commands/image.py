"""`dynreg image`: one file for a whole batch, which `dynreg flash` and `provision` burn."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..boards.content import Options
from ..boards.errors import BoardError
from ..boards.flashing import BAUD
from ..console import Console
from . import deploy

if TYPE_CHECKING:  # esptool takes half a second
    from ..boards.flashing.batchimage import Made
    from ..boards.flashing.image import Firmware

DESCRIPTION = """\
Makes one file of a MicroPython firmware and of all that deploy brings: lib/ compiled, boot.py,
main.py (or your program), certs/ and device_info.json, whose {mac} gives each board its own name.
The files lie in a littlefs where MicroPython looks for them, by the firmware's partition table.

The file holds the product secret and the Wi-Fi password: it is made for you alone (mode 0600)."""
EXAMPLE = """\
examples:
  dynreg image --firmware ESP32_GENERIC-20260801-v1.29.0.bin --out batch.bin
  dynreg image --firmware ESP32_GENERIC_S3-20260801-v1.29.0.bin --flash-size 16MB \\
               --app my_program/ --out batch.bin
  dynreg provision --all --image batch.bin --report batch.csv     burns it, and does all else

It lies in flash from the chip's offset on, as MicroPython's own file does: 'dynreg flash --image'
leaves NVS out, where a registered board keeps its credential; esptool alone erases it there."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--firmware", type=Path, required=True, metavar="FILE.bin", help="of micropython.org"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.bin", help="what to write"
    )
    parser.add_argument(
        "--flash-size",
        type=_size,
        metavar="4MB",
        help="of the boards; default: as the firmware's header says",
    )
    deploy.add_what(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")


def run(options: argparse.Namespace) -> int:
    """0 once the file is written. esptool is imported here: it takes half a second."""
    from ..boards.flashing import batchimage, image

    console = Console(options.json)
    if options.out.resolve() == options.firmware.resolve():
        raise BoardError("argument", f"{options.out}: is the firmware: give --out another name")
    firmware = image.read(options.firmware)
    asked = Options(options.app, options.source)
    made = batchimage.make(firmware, deploy.read(options, asked), options.flash_size)
    try:
        files.write(options.out, made.data, files.PRIVATE)
    except OSError as error:
        raise BoardError(
            "argument", f"{options.out}: cannot be written: {error.strerror}"
        ) from None
    row = _row(options.out, batchimage.read(options.out).firmware, made)
    console.result(row)
    for line in _describe(row):
        console.say(line)
    return 0


def _row(path: Path, firmware: Firmware, made: Made) -> dict:
    return {
        "file": str(path),
        "bytes": len(made.data),
        "chip": firmware.chip.name,
        "offset": firmware.chip.offset,
        "flash_size": made.flash,
        "micropython": firmware.version.removeprefix("MicroPython "),
        "files_at": firmware.table.file_system,
        "files": {name: len(data) for name, data in made.files.items()},
        "wire_bytes": firmware.wire_bytes,
        "notes": list(made.notes),
    }


def _describe(row: dict) -> list[str]:
    """The file in words."""
    size = sum(row["files"].values())
    seconds = row["wire_bytes"] * 10 / BAUD
    return [
        *row["notes"],
        f"{row['file']}: MicroPython {row['micropython']} for {row['chip']} with "
        f"{row['flash_size'] >> 20} MiB of flash, {len(row['files'])} files "
        f"({size / 1024:.1f} KB) at {row['files_at']:#x}; mode 0600, it holds the product secret",
        f"over the cable {row['wire_bytes'] / 1024:.0f} KB, {seconds:.0f} s at {BAUD} baud: "
        f"dynreg provision --all --image {row['file']}",
    ]


def _size(text: str) -> int:
    """Bytes from 4MB, for argparse."""
    match = re.fullmatch(r"(1|2|4|8|16|32|64|128)(MB|MIB|M)", text.upper())
    if not match:
        raise argparse.ArgumentTypeError("a flash size as 4MB, 8MB or 16MB")
    return int(match[1]) << 20
