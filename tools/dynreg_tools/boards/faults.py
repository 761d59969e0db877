"""What went wrong on a board, by the last line of its traceback."""

from __future__ import annotations

import re

from .errors import BoardError

CORRUPTED = "The filesystem appears to be corrupted"  # MicroPython at boot, until Ctrl-C
_FULL = re.compile(r"OSError: (\[Errno )?28\b|ENOSPC")
# EIO, no file system mounted, littlefs's own number for a damaged block
_DAMAGED = re.compile(r"OSError: (\[Errno )?(5|19|84)\b|\bEIO\b|\bENODEV\b")
# of a listing of files alone: names that are no text, folders within themselves
_LISTING = re.compile(r"UnicodeError|RuntimeError: maximum recursion")


def error(port: str, traceback: bytes | str) -> BoardError:
    """The error that a traceback of the board comes to."""
    if isinstance(traceback, bytes):
        traceback = traceback.decode("utf-8", "replace")
    last = (traceback.strip().splitlines() or ["nothing"])[-1]
    if _FULL.search(last):
        return BoardError("board.full", f"{port}: the flash is full: remove files, or erase it")
    if _DAMAGED.search(last):
        return damaged(port)
    return BoardError("board.exception", f"{port}: the board says {last}")


def damaged(port: str) -> BoardError:
    """The error of a board whose file system cannot be read."""
    return BoardError("board.filesystem", f"{port}: its file system is damaged")


def of_listing(found: BoardError, port: str) -> BoardError:
    """The error again, or damaged() where it came from reading folders that make no sense."""
    listed = found.code == "board.exception" and _LISTING.search(str(found))
    return damaged(port) if listed else found
