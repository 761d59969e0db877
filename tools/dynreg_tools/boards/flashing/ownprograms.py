"""A person's own boot.py and main.py on a board: an image replaces all files, without a copy."""

from __future__ import annotations

from collections.abc import Callable

from .. import programs
from ..content import digests
from ..errors import BoardError
from . import contents, partitions
from .batchimage import BatchImage
from .littlefs import Damaged
from .loader import Loader


def check(board: Loader, port: str, image: BatchImage, *, force: bool) -> list[str]:
    """What is told of those that the image replaces. BoardError "board.program".

    force, or a program of one's own in the image, says that they may go. Of a file system that
    cannot be read nothing is said: its programs do not run.
    """
    try:
        own = _own(board.read, board.flash_size, image)
    except Damaged:
        return []
    if not own:
        return []
    names = " and ".join(path[1:] for path in own)
    if force or programs.RECORD in image.files:
        return [f"{names} of the board's own replaced, without a copy"]
    raise BoardError(
        "board.program",
        f"{port}: the board has a {names} of its own, and an image keeps no copy: --force says "
        "that it may go",
    )


def _own(read: Callable[[int, int], bytes], flash: int, image: BatchImage) -> list[str]:
    table = partitions.parse(read(partitions.ADDRESS, partitions.SIZE))
    files = table and contents.files_of(table, read, flash)
    if not files:
        return []
    found = {path: data for path in programs.PROGRAMS if (data := files.read(path)) is not None}
    present = digests(found)
    if files.read(programs.RECORD) == programs.record(present):  # an app that was deployed
        return []
    idle = tuple(path for path, data in found.items() if programs.is_idle(data))
    return programs.own(present, digests(image.files), idle)
