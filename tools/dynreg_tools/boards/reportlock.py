"""One run at a time on a report: a lock that ends with its process, however that ends."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from .. import files
from ..printable import clean
from .errors import BoardError

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # the locked byte: behind the text, which others must be able to read

    def _take(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TRIES = 10  # the file may be taken away, or not be filled yet, by the one who has it
_PAUSE_S = 0.05
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def held(report: Path) -> Iterator[None]:
    """Holds the lock of a report, FILE.csv.lock beside it, which names its holder.

    BoardError "report.locked" where another run has it: which process on which host, since when.
    """
    place = Path(os.path.realpath(report) + ".lock")
    try:
        descriptor = _opened(place)
        if descriptor is None:
            text = f"{report}: {_holder(place)} has it: let it end, or name another report"
            raise BoardError("report.locked", text)
    except OSError as error:
        raise BoardError(
            "argument", f"{place}: cannot be locked ({error.strerror}): name a report elsewhere"
        ) from None
    try:
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(who).encode())
        yield
    finally:
        with suppress(OSError):  # while it is locked; Windows takes no open file away
            place.unlink()
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):  # another one has it by now
                place.unlink()


def _opened(place: Path) -> int | None:
    """The locked file's descriptor; None where another run has the lock."""
    for _ in range(_TRIES):
        descriptor = os.open(place, _FLAGS, files.PRIVATE)
        try:
            _take(descriptor)
            if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                return descriptor
        except FileNotFoundError:
            pass  # its last holder took it away in between: lock the next one
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _holder(place: Path) -> str:
    for _ in range(_TRIES):
        with suppress(OSError, ValueError, TypeError, KeyError):
            who = json.loads(place.read_text("utf-8"))
            since = datetime.fromisoformat(who["since"]).astimezone()
            host = clean(str(who["host"]))
            return f"process {int(who['pid'])} on {host}, since {since:%Y-%m-%d %H:%M:%S},"
        time.sleep(_PAUSE_S)
    return "another run"


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
