"""The one way in which files that matter are written."""

import os
from pathlib import Path

PRIVATE = 0o600


def write(path: Path, data: str | bytes, mode: int = 0o666) -> None:
    """The file as a whole or not at all: beside it, on the disk, then in its place.

    mode: PRIVATE for what nobody else may read, from its first byte; else as the umask has it.
    """
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
