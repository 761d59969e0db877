"""Where lib/, boot.py, main.py and the template lie: in the clone, or inside the wheel."""

from __future__ import annotations

import binascii
import hashlib
import importlib
import json
import os
import re
import select
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any

from .errors import ToolError

_IN_WHEEL = Path(__file__).resolve().parent / "board_files"
IN_CLONE = not _IN_WHEEL.is_dir()
ROOT = Path(__file__).resolve().parents[2] if IN_CLONE else _IN_WHEEL
LIB = ROOT / "lib"
# What is fetched once: umqtt.simple, interpreters.
CACHE = (
    ROOT / ".cache"
    if IN_CLONE
    else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynreg"
)
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
_SERVICES = "dynreg/services/"
_ALIAS = "dynreg_as_on_a_board"  # so that a dynreg imported otherwise is another one


def version() -> str:
    """The library's own: the one place that it is written in."""
    text = (LIB / "dynreg" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise ToolError("lib/dynreg/__init__.py: says no __version__: write it there")
    return found[1]


def modules() -> list[str]:
    """What every board gets of lib/: its modules without the services, as paths below it."""
    return [name for name in _modules() if not name.startswith(_SERVICES)]


def services() -> dict[str, list[str]]:
    """The modules of each optional service: services/NAME.py or those of services/NAME/.

    With what it imports of the others: services/_NAME.py, or another service.
    """
    found: dict[str, list[str]] = {}
    for name in _modules():
        if name.startswith(_SERVICES):
            part = PurePosixPath(name.removeprefix(_SERVICES)).parts[0].removesuffix(".py")
            found.setdefault(part, []).append(name)
    return {
        part: [*names, *(more for need in _needs(part, found) for more in found[need])]
        for part, names in found.items()
        if not part.startswith("_")
    }


def used_services(programs: Iterable[bytes]) -> list[str]:
    """The services that these Python sources import; what is no service is left out."""
    found: set[str] = set()
    for program in programs:
        text = re.sub(rb"#[^\n]*", b"", program)
        found |= {name.decode() for name in re.findall(rb"\bdynreg\.services\.(\w+)", text)}
        for names in re.findall(rb"\bdynreg\.services\s+import\s+(\([^)]*\)|[^\n]*)", text):
            found |= {name.decode() for name in re.findall(rb"\w+", names)}
    return [name for name in services() if name in found]


def _needs(part: str, known: Mapping[str, list[str]]) -> list[str]:
    """Which of the others a service imports, and those import."""
    found = [part]
    for one in found:  # which grows meanwhile
        beside = [name for name in known[one] if name == f"{_SERVICES}{one}.py"]
        text = "".join((LIB / name).read_text("utf-8") for name in beside)
        named = re.findall(r"^ *from \.(?: import )?(\w+)", text, re.MULTILINE)
        found += sorted({name for name in named if name in known} - {*found})
    return found[1:]


def _modules() -> list[str]:
    return sorted(path.relative_to(LIB).as_posix() for path in LIB.rglob("*.py"))


def need_clone(what: str) -> None:
    """ToolError unless this runs in a clone of the repository."""
    if not IN_CLONE:
        raise ToolError(f"{what} works in a clone of the repository only")


def library(name: str) -> Any:
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
