"""A batch's image: MicroPython and, behind it, a littlefs with all that deploy brings.

The file is what lies in flash from the chip's offset on, so any tool that writes flash takes it.
Where NVS lies it is erased flash (0xFF), which `dynreg flash` leaves out (image.pieces).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ... import sources
from .. import batch, mistakes
from ..batch import Batch
from ..content import Content
from ..errors import BoardError
from ..plan import Inventory, plan
from . import image, littlefs
from .image import Firmware

_INFO = "/device_info.json"
_SIX = (1, 19)  # the first MicroPython that loads .mpy version 6
_FROZEN = b"dynreg/__init__.py"  # what a firmware with the library in it holds


@dataclass(frozen=True, repr=False)
class BatchImage:
    """firmware: the whole file. batch: its device_info.json. library: the release of dynreg.

    flash: bytes of the only flash size that it is for; None: any that is large enough.
    """

    firmware: Firmware
    files: dict[str, bytes]
    batch: Batch
    library: str
    flash: int | None

    def owner(self, mac: str) -> str:
        """Product id and device name of the board with that MAC, twelve hex digits."""
        return f"{self.batch.info.product_id}/{self.batch.name_of(mac)}"

    @property
    def releases(self) -> dict[str, str]:
        """What a board runs that has it: micropython, library."""
        version = self.firmware.version.removeprefix("MicroPython v")
        return {"micropython": version, "library": self.library}


@dataclass(frozen=True, repr=False)
class Made:
    """data: the file's bytes. flash: bytes of the boards' flash. files: by their paths there.
    notes: what a person must know."""

    data: bytes
    flash: int
    files: dict[str, bytes]
    notes: tuple[str, ...]


def make(firmware: Firmware, content: Content, flash: int | None = None) -> Made:
    """The image for boards with so many bytes of flash; None: what the firmware's header says.

    BoardError "config.batch", "flash.image" or "flash.size" where that cannot be.
    """
    fault = mistakes.one_boards(content.batch)
    if fault:
        raise BoardError(
            "config.batch", f"{content.batch.path}: {fault}; an image is for many boards"
        )
    table, path = firmware.table, firmware.path
    if firmware.files:
        raise BoardError("flash.image", f"{path}: has files already: take MicroPython's own file")
    if table.is_fat:
        raise BoardError(
            "flash.image", f"{path}: keeps its files on FAT, an image's are littlefs: use deploy"
        )
    flash = flash or firmware.declared_flash
    if firmware.flash_needed > flash:
        raise BoardError(
            "flash.size",
            f"{path}: needs {firmware.flash_needed >> 10} KiB of flash, --flash-size says "
            f"{flash >> 10}: take a smaller build, or the boards' own size",
        )
    blocks = table.file_system_size(flash) // littlefs.BLOCK
    planned = plan(content, _blank(firmware))
    files = planned.files | {_INFO: json.dumps(content.batch.values, indent=2).encode()}
    try:
        system = littlefs.build(files, blocks, sources.version())
    except littlefs.NoRoom:
        raise BoardError(
            "flash.size",
            f"{path}: {len(files)} files have no room behind it in {flash >> 10} KiB of flash: "
            "say by --flash-size how much the boards have, or leave files out",
        ) from None
    gap = table.file_system - firmware.chip.offset
    notes = (*planned.notes, *filter(None, [firmware.warning]))
    return Made(firmware.data.ljust(gap, b"\xff") + system, flash, files, notes)


def read(path: str | Path) -> BatchImage:
    """The file at path, checked. BoardError "flash.image"."""
    firmware = image.read(path)
    if not firmware.files:
        raise BoardError(
            "flash.image",
            f"{path}: holds firmware alone: 'dynreg image' makes an image of it, --firmware "
            "writes it as it is",
        )
    try:
        system = littlefs.Files(littlefs.in_bytes(firmware.files))
        files = system.all()
    except littlefs.Damaged:
        raise _damaged(path) from None
    if not system.whole(files):
        raise _damaged(path)
    table, size = firmware.table, system.blocks * littlefs.BLOCK
    fixed = table.file_system_size(0)
    if fixed and fixed != size:
        raise _damaged(path)
    flash = None if fixed else table.file_system + size
    return BatchImage(firmware, files, _batch(path, files[_INFO]), system.label, flash)


def _batch(path: str | Path, info: bytes) -> Batch:
    """An image's device_info.json, checked. BoardError names the image."""
    with tempfile.TemporaryDirectory(prefix="dynreg-") as folder:
        file = Path(folder) / _INFO[1:]
        file.write_bytes(info)
        try:
            return batch.read(file)
        except BoardError as error:
            raise BoardError(error.code, str(error).replace(str(file), f"{path}{_INFO}")) from None


def _blank(firmware: Firmware) -> Inventory:
    """A board that holds this firmware and nothing else."""
    frozen = "(frozen)" if _FROZEN in firmware.data else None
    board = {"frozen": frozen, "mpy": 6 if firmware.release >= _SIX else 5}
    return Inventory(firmware.path.name, board, {})


def _damaged(path: str | Path) -> BoardError:
    return BoardError(
        "flash.image", f"{path}: its files are damaged or cut off: make it again, or copy it again"
    )
