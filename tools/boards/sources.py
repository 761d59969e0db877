"""Where lib/, boot.py, main.py and the template lie: the repository, or inside the wheel."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

_IN_WHEEL = Path(__file__).resolve().parent.parent / "board_files"
ROOT = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).resolve().parents[2]
LIB = ROOT / "lib"
_ALIAS = "dynreg_as_on_a_board"  # so that a dynreg imported otherwise is another one


def library(name: str) -> ModuleType:
    """dynreg.<name> as it runs on a board, imported here: one source of what is right.

    Only for modules that need no board (device_info, its errors); the package's __init__, which
    loads everything, is not run.
    """
    if _ALIAS not in sys.modules:
        package = ModuleType(_ALIAS)
        package.__path__ = [str(LIB / "dynreg")]
        sys.modules[_ALIAS] = package
    return importlib.import_module(f"{_ALIAS}.{name}")
