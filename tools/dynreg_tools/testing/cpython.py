"""Modules of an application, imported on CPython with the shims in MicroPython's place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import ModuleType

from .. import shims


class Imports:
    """module() any number of times, then undo()."""

    def __init__(self) -> None:
        self._folders: set[Path] = set()
        self._undo = ExitStack()

    def module(self, path: Path) -> ModuleType:
        """The module in this file; those beside it are found too. ToolError, OSError."""
        path = path.resolve(strict=True)
        if path.parent not in self._folders:
            undo: Callable[[], None] = shims.install(path.parent)
            self._undo.callback(undo)
            self._folders.add(path.parent)
        return import_module(path.stem)

    def undo(self) -> None:
        """As it was before."""
        self._undo.close()
        self._folders.clear()
