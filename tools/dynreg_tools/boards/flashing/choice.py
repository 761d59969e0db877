"""Which file for which board: one that was named, or the right one of a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import BoardError
from . import image
from .image import Firmware


@dataclass(frozen=True)
class Folder:
    """The firmware files of a folder; wrong: why the others are none."""

    path: Path
    files: tuple[Firmware, ...]
    wrong: tuple[str, ...]


def read(path: Path) -> Firmware | Folder:
    """A firmware file, or all that lie in a folder. BoardError "flash.image" without any."""
    if not path.is_dir():
        return _firmware(path)
    files: list[Firmware] = []
    wrong: list[str] = []
    for file in sorted(path.glob("*.bin")):
        try:
            files.append(_firmware(file))
        except BoardError as error:
            wrong.append(str(error))
    if not files:
        raise BoardError(
            "flash.image",
            "; ".join(wrong)
            or f"{path}: no .bin file in this folder: download one from micropython.org/download",
        )
    return Folder(path, tuple(files), tuple(wrong))


def pick(
    port: str, given: Firmware | Folder, chip: str | None, flash: int, revision: int | None = None
) -> Firmware | None:
    """The file for a board: of its chip and revision, no larger than its flash (bytes).

    Of several in a folder the generic build, and of these the newest. None, 0: not known; then no
    file of a folder is picked. BoardError "flash.chip", "flash.size" or "flash.image".
    """
    if isinstance(given, Folder) and chip is None:
        return None
    files = given.files if isinstance(given, Folder) else (given,)
    name = files[0].path.name if len(files) == 1 else str(files[0].path.parent)
    fitting = [file for file in files if chip in (None, file.chip.name)]
    if not fitting:
        others = ", ".join(sorted({file.chip.name for file in files}))
        raise BoardError(
            "flash.chip",
            f"{port}: the board is an {chip}, {name} is for {others}: take the file for its chip; "
            "nothing was written",
        )
    bearing = [file for file in fitting if revision is None or file.runs_on(revision)]
    if not bearing:
        major, minor = divmod(revision or 0, 100)
        raise BoardError(
            "flash.chip",
            f"{port}: the {chip} is of revision v{major}.{minor}, {name} is for others: take the "
            "variant for it; nothing was written",
        )
    small = [file for file in bearing if not flash or file.flash_needed <= flash]
    if not small:
        needed = min(file.flash_needed for file in fitting)
        raise BoardError(
            "flash.size",
            f"{port}: the board has {flash >> 10} KiB of flash, {name} needs {needed >> 10}: take "
            "a smaller build; nothing was written",
        )
    return _best(port, small)


def _best(port: str, files: list[Firmware]) -> Firmware:
    generic = [file for file in files if _is_generic(file)] or files
    newest = max(_age(file) for file in generic)
    best = [file for file in generic if _age(file) == newest]
    if len({file.data for file in best}) > 1 or (generic is files and len(files) > 1):
        names = ", ".join(file.path.name for file in generic)
        raise BoardError(
            "flash.image",
            f"{port}: which of {names} is for this {files[0].chip.name} cannot be told: name one "
            "with --firmware; nothing was written",
        )
    return best[0]


def _is_generic(file: Firmware) -> bool:
    """Named as MicroPython's own build for this chip, without a variant's name behind it."""
    return re.fullmatch(rf"{file.chip.download}([-.]v?\d.*)?\.bin", file.path.name) is not None


def _age(file: Firmware) -> tuple[tuple[int, ...], bool, str]:
    """Later is more: the release, then no preview, then the date in a download's name."""
    numbers = re.search(r"v([\d.]+)", file.version)
    date = re.search(r"-(\d{8})-", file.path.name)
    release = tuple(map(int, numbers[1].strip(".").split("."))) if numbers else ()
    return release, "preview" not in file.version, date[1] if date else ""


def _firmware(path: Path) -> Firmware:
    firmware = image.read(path)
    if firmware.files:
        raise BoardError(
            "flash.image", f"{path}: is a batch's image, with files in it: name it by --image"
        )
    return firmware
