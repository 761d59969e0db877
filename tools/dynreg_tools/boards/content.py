"""What may go onto boards, read once from this computer: library, certificates, programs."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import sources
from . import compiler
from .batch import Batch
from .errors import BoardError
from .programs import PROGRAMS, RECORD, record

NEW = ".dynreg-new"  # what a file is called until it moves into its place
_IGNORED = ("__pycache__", ".git", ".DS_Store")
_OTHER_FORM = {".py": ".mpy", ".mpy": ".py"}


@dataclass(frozen=True)
class Options:
    """What a person asks of a deploy.

    app: a folder whose files go to the root in place of main.py (and boot.py, if it has one).
    source: .py instead of .mpy. dry_run: say what would change, change nothing. force: replace a
    board's own programs with ours.
    """

    app: Path | None = None
    source: bool = False
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, repr=False)
class Content:
    """Paths on the board and the bytes of each file.

    library: lib/ as it is; compiled: as .mpy, empty where the sources were asked for; packages:
    their names below /lib, which are swapped whole. others: certificates, programs, the app.
    may_replace: programs that may take the place of a board's own.
    """

    batch: Batch
    packages: tuple[str, ...]
    library: dict[str, bytes]
    compiled: dict[str, bytes]
    others: dict[str, bytes]
    may_replace: frozenset[str] = frozenset()

    @property
    def roots(self) -> list[str]:
        """The packages' folders on the board."""
        return [f"/lib/{name}" for name in self.packages]

    @property
    def conflicts(self) -> list[str]:
        """What would be loaded in place of one of the others, or never again: .py beside .mpy."""
        found = []
        for path in self.others:
            stem, dot, suffix = path.rpartition(".")
            other = stem + _OTHER_FORM.get(dot + suffix, "")
            if other != stem and other not in self.others:
                found.append(other)
        return found

    @property
    def inspected(self) -> list[str]:
        """The files and folders of which a board is asked."""
        new = (path + NEW for path in self.others)
        return [*self.roots, *self.others, *self.conflicts, *new, RECORD]


def read(batch: Batch, options: Options) -> Content:
    """BoardError where something that is named is missing, or does not compile."""
    others = _certificates(batch)
    others |= programs()
    replaced = set(PROGRAMS) if options.force else set()
    if options.app is not None:
        app = app_files(options.app)
        others |= app
        others[RECORD] = record(digests({path: others[path] for path in PROGRAMS}))
        replaced |= set(app)
    services = services_of(others)
    found = library(services)
    return Content(
        batch,
        tuple(sorted({path.split("/")[2] for path in found})),
        found,
        {} if options.source else compiled_library(services),
        others,
        frozenset(replaced & set(PROGRAMS)),
    )


def services_of(files: Mapping[str, bytes]) -> list[str]:
    """The optional services that a program's sources import."""
    return sources.used_services(data for path, data in files.items() if path.endswith(".py"))


def library(services: Iterable[str] = ()) -> dict[str, bytes]:
    """lib/ as it is, with these services, by paths on the board."""
    return {f"/lib/{name}": file.read_bytes() for file, name in _modules(services)}


def compiled_library(services: Iterable[str] = ()) -> dict[str, bytes]:
    """lib/ as .mpy, with these services, by paths on the board. BoardError."""
    return _compiled(_modules(services))


def compiled_services(services: Iterable[str]) -> dict[str, bytes]:
    """These services alone as .mpy, by paths on the board. BoardError."""
    return _compiled(_of(services))


def _compiled(found: list[tuple[Path, str]]) -> dict[str, bytes]:
    binaries = compiler.compile_all(found)
    return {f"/lib/{name[:-3]}.mpy": data for (_, name), data in zip(found, binaries, strict=True)}


def programs() -> dict[str, bytes]:
    """Our boot.py and main.py, by their paths on the board."""
    return {path: (sources.ROOT / path[1:]).read_bytes() for path in PROGRAMS}


def app_files(folder: Path) -> dict[str, bytes]:
    """A program's files by their paths on the board. BoardError without a main.py."""
    if not folder.is_dir():
        raise BoardError("app", f"{folder}: is no folder: name the one that holds main.py")
    if not (folder / "main.py").is_file():
        raise BoardError("app", f"{folder}: has no main.py: the board would do nothing")
    return {
        f"/{name}": file.read_bytes() for file, name in _tree(folder) if name != "device_info.json"
    }


def digests(files: dict[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file, base64, as a board says it."""
    return {
        path: b64encode(hashlib.sha256(data).digest()).decode() for path, data in files.items()
    }


def _certificates(batch: Batch) -> dict[str, bytes]:
    folder = batch.path.parent / "certs"
    found = _tree(folder) if folder.is_dir() else []
    files = {f"/certs/{name}": file.read_bytes() for file, name in found}
    for path in batch.authorities:
        if path not in files:
            raise BoardError(
                "config",
                f"{batch.path}: names {path}, but {folder / Path(path).name} is not there: "
                "copy the CA file into that folder",
            )
    return files


def _modules(services: Iterable[str]) -> list[tuple[Path, str]]:
    """Backwards: littlefs finds a folder's newest file fastest, and adapter comes before wifi."""
    return [*_of(services), *((sources.LIB / name, name) for name in sources.modules()[::-1])]


def _of(services: Iterable[str]) -> list[tuple[Path, str]]:
    known = sources.services()
    names = {name for service in services for name in known[service]}
    return [(sources.LIB / name, name) for name in sorted(names, reverse=True)]


def _tree(folder: Path) -> list[tuple[Path, str]]:
    """Files below folder with their names relative to it, sorted."""
    return sorted(
        (file, file.relative_to(folder).as_posix())
        for file in folder.rglob("*")
        if file.is_file() and not any(part in _IGNORED for part in file.relative_to(folder).parts)
    )
