"""MicroPython's modules for CPython, so that lib/ and an application run there, in a test.

    undo = shims.install("my_app")
    import thermostat            # my_app/thermostat.py, which may import machine, dynreg, …
    undo()

The modules lie here under the names that MicroPython gives them; they are imported by those names.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from pathlib import Path

from ..build import firmware_libraries
from ..sources import LIB

FOLDER = Path(__file__).resolve().parent


def install(*folders: str | Path) -> Callable[[], None]:
    """Puts these folders, lib/, the shims and the firmware's libraries first on sys.path.

    open() reads text as MicroPython does: UTF-8, line ends as they are. Returns what takes all of
    it back, the modules too that were imported from there. ToolError where a library of the
    firmware must be fetched and cannot be.
    """
    firmware_libraries.need(*firmware_libraries.FROZEN)
    places = [*(Path(folder).resolve() for folder in folders), LIB, FOLDER]
    paths = [str(place) for place in (*places, firmware_libraries.FOLDER)]
    loaded = set(sys.modules)
    real = builtins.open
    sys.path[:0] = paths
    __import__("textfiles").install()

    def undo() -> None:
        builtins.open = real
        for path in paths:
            sys.path.remove(path)
        for name in set(sys.modules) - loaded:
            root = name.partition(".")[0]
            if any(Path(p, root).is_dir() or Path(p, f"{root}.py").is_file() for p in paths):
                del sys.modules[name]

    return undo
