"""How long a board takes by files and by a batch's image, from bytes and baud rate: a measurement.

    PYTHONPATH=tools .venv/bin/python -m tests_host.fleet.image_times FIRMWARE.bin

What goes to the board is counted where pyserial writes it: real esptool against the fake loader, a
real deploy onto a virtual board. Ten bits a byte; erasing, the board's answers and its start come
on top, and are the same in both ways but for the deploy's answers.
"""

import sys
import tempfile
from pathlib import Path

import serial

from dynreg_tools.boards.flashing import BAUD, batchimage, image
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import batchfolder
from tests_host.fleet.romloader import RomLoader

REPL_BAUD = 115200


def main() -> int:
    firmware = image.read(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="dynreg-times-") as name:
        folder = Path(name)
        batchfolder.make_info(folder)
        what = batchfolder.content_of(folder)
        made = batchimage.make(firmware, what)
        (folder / "batch.bin").write_bytes(made.data)
        print(f"{firmware.version}, {len(firmware.data)} bytes; {len(made.files)} files, ", end="")
        print(f"{sum(map(len, made.files.values()))} bytes")
        alone = flashed("--firmware", firmware.path)
        by_image = flashed("--image", folder / "batch.bin")
        with Board.new(folder / "board", wifi={}).power_on() as running:
            running.wait_repl()
            by_files = counted(lambda: batchfolder.deploy(running.port, what))
        predicted = batchimage.read(folder / "batch.bin").firmware.wire_bytes
    show("dynreg flash, the firmware alone", alone, BAUD)
    show("dynreg deploy", by_files, REPL_BAUD)
    print(f"{'together':34} {'':9} {seconds(alone, BAUD) + seconds(by_files, REPL_BAUD):6.1f} s")
    show("dynreg provision --image", by_image, BAUD)
    show("  as dynreg image says", predicted, BAUD)
    return 0


def flashed(option: str, path: Path) -> int:
    """The bytes to a blank chip."""
    with RomLoader() as rom:
        command = ("flash", "--port", rom.port, option, path)
        how = ("--before", "no-reset", "--after", "no-reset")
        return counted(lambda: dynreg(*command, *how))


def counted(work) -> int:
    """The bytes that work() writes to serial ports."""
    count = 0
    write = serial.Serial.write

    def counting(self, data):
        nonlocal count
        count += len(data)
        return write(self, data)

    serial.Serial.write = counting
    try:
        work()
    finally:
        serial.Serial.write = write
    return count


def seconds(size: int, baud: int) -> float:
    return size * 10 / baud


def show(what: str, size: int, baud: int) -> None:
    print(f"{what:34} {size:9} {seconds(size, baud):6.1f} s at {baud} baud")


if __name__ == "__main__":
    sys.exit(main())
