"""The one way in which files that matter are written."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600


def write(path: Path, data: str | bytes, mode: int = 0o666) -> None:
    """The file as a whole or not at all: beside it, on the disk, then in its place.

    mode: PRIVATE for what nobody else may read, from its first byte; else as the umask has it.
    """
    path = path.resolve()  # the file that a link leads to, not the link
    waiting = partial(path)
    waiting.unlink(missing_ok=True)
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(waiting, path)


def partial(path: Path) -> Path:
    """Where write() has a file until it is whole; left over where the process was killed."""
    return path.with_name(path.name + ".part")


def narrow(path: Path) -> None:
    """Takes others' rights to a file of an earlier edition away; does nothing where there is none.

    A file system that knows no modes, or another owner's file, stays as it is.
    """
    with suppress(FileNotFoundError, PermissionError):
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            path.chmod(mode & 0o700)


def private_opener(path: str, flags: int) -> int:
    """For open(): a file that is made has the mode PRIVATE."""
    return os.open(path, flags, PRIVATE)
