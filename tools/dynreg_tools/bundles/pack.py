"""A program as one file for an update over the air, and as the folder of a board's first deploy.

A bundle is one line of JSON that says what it is, then for each file one line of JSON, [path,
bytes, SHA-256 in hex], and the file itself; nothing is compressed (docs/ota.md).
"""

from __future__ import annotations

import ast
import binascii
import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import sources
from ..build import mpy
from ..errors import ToolError

FORMAT = 1
STATE = "ota.state"
SLOT = "app_a"
MOST_VERSION, MOST_PATH, MOST_FILES = 32, 96, 500
BOOTS, SECONDS = 3, 600
MOST_BOOTS, MOST_SECONDS = 100, 86_400
_PATH = re.compile(r"[A-Za-z0-9._/-]+")
_SERVICES = "dynreg.services."
_IGNORED = ("__pycache__", ".git", ".DS_Store")
_MPY, _MPY_AT = 6, 1  # the version of a .mpy file, and where it says so
_OWN = ("device_info.json", "certs", STATE)  # a board's own, which no bundle replaces


class BundleError(ToolError):
    """No bundle can be made of it, or it is none; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`boots` is how often a new program may start before it is confirmed, `seconds` how long."""

    boots: int = BOOTS
    seconds: int = SECONDS

    def __post_init__(self) -> None:
        if not 1 <= self.boots <= MOST_BOOTS:
            raise BundleError(f"a new program has 1 to {MOST_BOOTS} starts, not {self.boots}")
        if not 0 <= self.seconds <= MOST_SECONDS:
            raise BundleError(f"a new program has 0 to {MOST_SECONDS} s, not {self.seconds}")


@dataclass(frozen=True)
class Bundle:
    """`files` by their paths in a slot; `head` is the first line.

    `services` are those of dynreg that the program imports and that are not in the bundle.
    """

    head: dict[str, Any]
    files: dict[str, bytes] = field(repr=False)
    services: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        return self.head["version"]

    @property
    def data(self) -> bytes:
        """The bundle as it is sent."""
        out = [_line(self.head)]
        for path, data in self.files.items():
            out += [_line([path, len(data), hashlib.sha256(data).hexdigest()]), data]
        return b"".join(out)


def pack(
    folder: Path, version: str, trial: Trial | None = None, *, library: bool = False
) -> Bundle:
    """What is in `folder`, its .py compiled; with `library` the dynreg package as well."""
    check_version(version)
    trial = trial or Trial()
    if not folder.is_dir():
        raise BundleError(f"{folder}: is no folder: name the one that holds the program's main.py")
    found = _files(folder)
    if not {"main.py", "main.mpy"} & set(found):
        raise BundleError(f"{folder}: has no main.py: the board would do nothing")
    services = _services(found.values())
    if library:
        names = [name for name in sources.modules() if name.startswith("dynreg/")]
        names += [name for service in services for name in sources.services()[service]]
        found |= {name: sources.LIB / name for name in names}
    files = _compiled(folder, found)
    if len(files) > MOST_FILES:
        raise BundleError(f"{folder}: holds {len(files)} files, a bundle {MOST_FILES} at most")
    compiled = [data for name, data in files.items() if name.endswith(".mpy")]
    head = {
        "dynreg": FORMAT,
        "version": version,
        "mpy": compiled[0][_MPY_AT] if compiled else _MPY,
        "boots": trial.boots,
        "seconds": trial.seconds,
        "files": len(files),
    }
    return Bundle(head, files, () if library else services)


def _compiled(folder: Path, found: Mapping[str, Path]) -> dict[str, bytes]:
    """The files as they go into a slot."""
    files: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="dynreg-") as scratch:
        for path_there, path in sorted(found.items()):
            name = path_there
            if len(name) > MOST_PATH or not _PATH.fullmatch(name):
                raise BundleError(
                    f"{folder / name}: a path has {MOST_PATH} of A-Z a-z 0-9 . _ - / at most: "
                    "rename it"
                )
            source = path
            if path.suffix == ".py":
                if name == "main.py":
                    _check_main(path)
                source = Path(scratch) / "out.mpy"
                mpy.compile_file(path, name, source)
                name = name.removesuffix(".py") + ".mpy"
            if name in files:
                raise BundleError(f"{folder}: holds {name} and its source: take one away")
            files[name] = source.read_bytes()
    return files


def factory(bundle: Bundle) -> dict[str, bytes]:
    """The files of a board's first deploy, by path: boot stub, program, state, services."""
    state = _line({"run": "a", "version": bundle.version}).rstrip()
    start = Path(__file__).with_name("start.py").read_bytes()
    program = {f"{SLOT}/{name}": data for name, data in bundle.files.items()}
    files = {"main.py": start, STATE: b"%08x" % binascii.crc32(state) + state, **program}
    names = [name for service in bundle.services for name in sources.services()[service]]
    compiled = _compiled(sources.LIB, {name: sources.LIB / name for name in names})
    return files | {f"lib/{name}": data for name, data in compiled.items()}


def read(data: bytes) -> Bundle:
    """A bundle out of its bytes, checked as a board checks it; BundleError."""
    try:
        line, _, rest = data.partition(b"\n")
        head = json.loads(line)
        if head["dynreg"] != FORMAT:
            raise BundleError(f"it is of format {head['dynreg']}, not {FORMAT}")
        check_version(head["version"])
        files: dict[str, bytes] = {}
        for _ in range(head["files"]):
            line, _, rest = rest.partition(b"\n")
            path, size, digest = json.loads(line)
            files[path], rest = rest[:size], rest[size:]
            if hashlib.sha256(files[path]).hexdigest() != digest:
                raise BundleError(f"{path} is not as it was packed")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleError("it is no bundle") from None
    if rest:
        raise BundleError("it holds more than it says")
    return Bundle(head, files)


def check_version(version: str) -> None:
    """BundleError unless the cloud takes it (protocol section 7)."""
    if not isinstance(version, str) or not re.fullmatch(rf"[!-~]{{1,{MOST_VERSION}}}", version):
        raise BundleError(
            f"the version {version!r} is not 1 to {MOST_VERSION} characters without blanks"
        )


def _files(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and not any(part in _IGNORED for part in name.parts):
            if name.parts[0] in _OWN:
                raise BundleError(
                    f"{path}: is a board's own, which no update replaces (docs/ota.md): take it "
                    "out of the program's folder; it comes by 'dynreg deploy'"
                )
            found[name.as_posix()] = path
    return found


def _services(files: Iterable[Path]) -> tuple[str, ...]:
    """The services that these sources import, and those that these import."""
    known = sources.services()
    found: set[str] = set()
    todo = list(files)
    while todo:
        named = _imports(_tree(todo.pop()))
        new = {name.removeprefix(_SERVICES).split(".")[0] for name in named} & set(known) - found
        found |= new
        todo += [sources.LIB / module for service in new for module in known[service]]
    return tuple(sorted(found))


def _imports(tree: ast.AST) -> set[str]:
    """What a source imports below dynreg.services, as whole names."""
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # A service's own: `from . import ota`, `from .ota import …`.
            package = _SERVICES[:-1] if node.level == 1 else ""
            base = ".".join(filter(None, (package, node.module)))
            named |= {f"{base}.{alias.name}" for alias in node.names}
    return {name for name in named if name.startswith(_SERVICES)}


def _tree(path: Path) -> ast.AST:
    """The source's syntax tree; an empty one where mpy-cross says better what is wrong."""
    try:
        return ast.parse(path.read_bytes() if path.suffix == ".py" else b"")
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _check_main(path: Path) -> None:
    """main.py is imported by the boot stub, so `__name__` is "main" there."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Compare) and "'__main__'" in ast.unparse(node):
            raise BundleError(
                f"{path}: line {node.lineno}: in a slot its __name__ is 'main': call what it is "
                "to do without that question"
            )


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
