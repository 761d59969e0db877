"""Where lib/, boot.py, main.py and the template lie: the repository, or inside the wheel."""

from __future__ import annotations

import binascii
import hashlib
import importlib
import json
import os
import select
import socket
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

_IN_WHEEL = Path(__file__).resolve().parent.parent / "board_files"
ROOT = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).resolve().parents[2]
LIB = ROOT / "lib"
_BUILT_IN = {  # of MicroPython's modules, what those that need no board import
    "micropython": SimpleNamespace(const=lambda value: value),
    "ubinascii": binascii,
    "uhashlib": hashlib,
    "ujson": json,
    "uos": os,
    "uselect": select,
    "usocket": socket,
    "utime": SimpleNamespace(
        **{name: getattr(time, name) for name in ("gmtime", "time_ns")},
        **dict.fromkeys(("sleep_ms", "ticks_add", "ticks_diff", "ticks_ms"), lambda *_: 0),
    ),
}
_ALIAS = "dynreg_as_on_a_board"  # so that a dynreg imported otherwise is another one


def library(name: str) -> ModuleType:
    """dynreg.<name> as it runs on a board, imported here: one source of what is right.

    Only for modules that need no board (device, its errors); the package's __init__, which
    loads everything, is not run.
    """
    if _ALIAS not in sys.modules:
        package = ModuleType(_ALIAS)
        package.__path__ = [str(LIB / "dynreg")]
        sys.modules[_ALIAS] = package
    lent = {name: module for name, module in _BUILT_IN.items() if name not in sys.modules}
    sys.modules.update(lent)
    try:
        return importlib.import_module(f"{_ALIAS}.{name}")
    finally:
        for built_in in lent:
            del sys.modules[built_in]
