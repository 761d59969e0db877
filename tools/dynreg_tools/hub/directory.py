"""Where a hub keeps its files."""

import os
from pathlib import Path

from .rules import HubError


def data_directory(path: str | Path) -> Path:
    """The directory, made where it is not there; HubError when it cannot be used."""
    directory = Path(path).resolve()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise HubError(f"cannot make the data directory {directory}: {exc.strerror}") from exc
    if not os.access(directory, os.W_OK | os.X_OK):
        raise HubError(f"cannot write to the data directory {directory}")
    return directory
