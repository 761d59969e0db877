"""A firmware file: which chip it is for, what is in it, and that all of it is there.

MicroPython's firmware.bin is one piece from boot loader to application, with erased flash (0xFF)
where the NVS partition lies. Written as one piece it would erase NVS, and with it the second copy
of the credential; pieces() leaves NVS out. Source of the layout: docs/hardware.md.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from esptool.bin_image import LoadFirmwareImage
from esptool.util import FatalError

from ..errors import BoardError
from . import partitions
from .chips import Chip, by_id, chips, downloads

MAGIC = b"\xe9"
_MIB = 1 << 20
_FLASH_SIZE = 3  # offset in the header: 1 MiB << the upper four bits
_CHIP_ID = 12  # offset in the header, 16 bits
_REVISIONS = struct.Struct("<HH")  # at _REVISION in the header: the chip's, from and to
_REVISION, _ANY = 15, (0, 0xFFFF)  # as the last one: there is no last one
_BANNER = re.compile(rb"MicroPython v[^ \0]+(?= on )")
_SUPERBLOCKS = 2 * 4096  # bytes at the beginning of a littlefs, without which there is none
_PACKET, _PACKET_HEAD = 0x4000, 26  # bytes: of data in each packet to esptool's stub, around it
_OLDEST = (1, 22)  # of MicroPython, that dynreg runs on


@dataclass(frozen=True)
class Firmware:
    """A file that can be flashed. data belongs at chip.offset. version: of MicroPython."""

    path: Path
    data: bytes = field(repr=False)
    chip: Chip
    table: partitions.Table
    version: str

    @property
    def declared_flash(self) -> int:
        """Bytes, as the header says; the boot loader starts on no smaller flash."""
        return _MIB << (self.data[_FLASH_SIZE] >> 4)

    @property
    def flash_needed(self) -> int:
        """Bytes: as the header says, and up to the end of the file and of the last partition."""
        ends = [p.end for p in self.table.partitions]
        return max(self.declared_flash, self.chip.offset + len(self.data), *ends)

    def runs_on(self, revision: int) -> bool:
        """Whether the boot loader starts on that revision of its chip, 301 for v3.1."""
        first, last = _REVISIONS.unpack_from(self.data, _REVISION)
        return first <= revision and (last in _ANY or revision <= last)

    @property
    def release(self) -> tuple[int, int]:
        """Of MicroPython, (0, 0) where the file does not say."""
        found = re.search(r"v(\d+)\.(\d+)", self.version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def warning(self) -> str | None:
        """What a person must know of it before it is written."""
        if self.release >= _OLDEST:
            return None
        oldest = ".".join(map(str, _OLDEST))
        return (
            f"{self.path.name} is {self.version}, dynreg needs {oldest} or later: download a new "
            f"{self.chip.download} from micropython.org/download"
        )

    @property
    def files(self) -> bytes:
        """What lies where MicroPython keeps its files: nothing but in a batch's image."""
        return self.data[self.table.file_system - self.chip.offset :]

    def pieces(self, keep_nvs: bool) -> list[tuple[int, bytes]]:
        """(address, bytes) to write, in this order: all of it, or all but the NVS partition.

        An image's files come last, and of these what makes them a file system: cut off anywhere,
        the board has the old ones or none, and the same image can be written again.
        """
        start, nvs, files = self.chip.offset, self.table.nvs, self.table.file_system
        cuts = [start, start + len(self.data)]
        if keep_nvs and nvs is not None:
            cuts += [nvs.offset, nvs.end]
        if self.files:
            cuts += [files, files + _SUPERBLOCKS]
        found = {at: self.data[at - start : end - start] for at, end in pairwise(sorted(cuts))}
        if keep_nvs and nvs is not None:
            del found[nvs.offset]
        head = found.pop(files, b"")
        ends = [(files, b"\xff" * len(head)), *found.items(), (files, head)]
        return ends if head else list(found.items())

    @property
    def wire_bytes(self) -> int:
        """What esptool's stub is sent for it, NVS left out: deflated, in packets (SLIP)."""
        deflated = b"".join(zlib.compress(data, 9) for _, data in self.pieces(keep_nvs=True))
        escaped = sum(deflated.count(byte) for byte in b"\xc0\xdb")
        return len(deflated) + escaped + _PACKET_HEAD * (len(deflated) // _PACKET + 1)


def read(path: str | Path) -> Firmware:
    """The file at path. BoardError "flash.image" says what is wrong with it."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from None
    chip = _chip(path, data)
    table = partitions.parse(_within(data, partitions.ADDRESS - chip.offset, partitions.SIZE))
    if table is None:
        raise _wrong(path, _why_no_table(data, chip))
    if table.app is None:
        raise _wrong(path, "its partition table has no application")
    _check(path, data, chip, "boot loader")
    application = data[table.app.offset - chip.offset :]
    _check(path, application, chip, "application")
    banner = _BANNER.search(application)
    version = banner[0].decode("utf-8", "replace") if banner else "no MicroPython"
    return Firmware(path, data, chip, table, version)


def _chip(path: Path, data: bytes) -> Chip:
    for chip in chips().values():
        if chip.offset and not data[: chip.offset].strip(b"\xff") and _at(data, chip.offset):
            raise _wrong(
                path,
                f"is merged from address 0, firmware for {chip.name} begins at {chip.offset:#x}: "
                "take the firmware.bin of MicroPython's own build or download",
            )
    if data[:1] != MAGIC or len(data) < 24:
        raise _wrong(
            path,
            "is no ESP32 firmware image: download the .bin (no .uf2, no .elf) from "
            f"micropython.org/download ({downloads()})",
        )
    (number,) = struct.unpack_from("<H", data, _CHIP_ID)
    chip = by_id(number)
    if chip is None:
        raise _wrong(
            path,
            f"is for chip id {number}, which firmware/boards.toml does not know: add it there",
        )
    return chip


def _why_no_table(data: bytes, chip: Chip) -> str:
    for other in sorted({c.offset for c in chips().values()} - {chip.offset}):
        if partitions.parse(_within(data, partitions.ADDRESS - other, partitions.SIZE)):
            return (
                f"is merged for address {other:#x}, firmware for {chip.name} begins at "
                f"{chip.offset:#x}: take the firmware.bin of MicroPython's own build or download"
            )
    return (
        "holds no partition table: it is an application alone (micropython.bin, .app-bin) or cut "
        "off: take the whole firmware.bin"
    )


def _check(path: Path, data: bytes, chip: Chip, what: str) -> None:
    try:
        image: Any = LoadFirmwareImage(chip.name, data)  # of one class for each chip
        whole = image.checksum == image.calculate_checksum() and (
            not image.append_digest or image.stored_digest == image.calc_digest
        )
    except (FatalError, RuntimeError, TypeError, struct.error):  # what esptool raises on damage
        whole = False
    if not whole:
        raise _wrong(path, f"its {what} is damaged or cut off: download it again")


def _at(data: bytes, offset: int) -> bool:
    return data[offset : offset + 1] == MAGIC


def _within(data: bytes, start: int, size: int) -> bytes:
    return data[start : start + size] if start >= 0 else b""


def _wrong(path: Path, why: str) -> BoardError:
    return BoardError("flash.image", f"{path}: {why}")
