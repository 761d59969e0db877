"""What is to be on a board: every file with its bytes, and what must not lie beside it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from .. import sources
from . import compiler
from .batch import Batch
from .errors import BoardError

PROGRAMS = ("/boot.py", "/main.py")  # last of all: they start what the others hold
_IGNORED = ("__pycache__", ".git", ".DS_Store")


@dataclass
class Plan:
    """files: path on the board -> bytes. packages: names below /lib that are swapped whole."""

    files: dict[str, bytes] = field(default_factory=dict)
    packages: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # sentences for the person

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file, base64."""
        return {path: digest(data) for path, data in self.files.items()}

    def package(self, path: str) -> str | None:
        """The package of /lib that a path belongs to."""
        name = path.removeprefix("/lib/").split("/")[0] if path.startswith("/lib/") else None
        return name if name in self.packages else None

    @property
    def conflicts(self) -> list[str]:
        """What would be loaded in place of a planned file, or never again: .py beside .mpy."""
        suffixes = {".py": ".mpy", ".mpy": ".py"}
        found = []
        for path in self.files:
            stem, dot, suffix = path.rpartition(".")
            other = stem + suffixes.get(dot + suffix, "")
            if other != stem and other not in self.files and not self.package(path):
                found.append(other)
        return found


def digest(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode()


def make(
    batch: Batch,
    major: int,
    app: Path | None = None,
    source: bool = False,
    frozen: str | None = None,
) -> Plan:
    """The plan for a board whose .mpy version is major (0: it loads none).

    app: a folder whose files go to the root in place of main.py (and boot.py, if it has one).
    source: .py instead of .mpy. frozen: the version of the library in the board's firmware,
    which needs no other. BoardError where something that is named is missing.
    """
    plan = Plan()
    if frozen:
        plan.notes.append(
            f"lib/ stays here: dynreg {frozen} is part of this firmware, which comes before /lib"
        )
    else:
        _add_library(plan, major, source)
    _add_certificates(plan, batch)
    for path in PROGRAMS:
        plan.files[path] = (sources.ROOT / path[1:]).read_bytes()
    if app is not None:
        if not (app / "main.py").is_file():
            raise BoardError("app", f"{app}: has no main.py: the board would do nothing")
        for file, name in _tree(app):
            if name != "device_info.json":
                plan.files["/" + name] = file.read_bytes()
    return plan


def _add_library(plan: Plan, major: int, source: bool) -> None:
    # Backwards: littlefs finds a folder's newest file fastest, and adapter comes before wifi.
    found = [(file, name) for file, name in _tree(sources.LIB)[::-1] if file.suffix == ".py"]
    plan.packages = sorted({name.split("/")[0] for _, name in found})
    if not source:
        binaries = compiler.compile_all(found)
        if compiler.fits(binaries[0], major):
            for (_, name), data in zip(found, binaries, strict=True):
                plan.files[f"/lib/{name[:-3]}.mpy"] = data
            return
        plan.notes.append(
            f"lib/ goes as source: the board loads .mpy version {major or 'none'}, mpy-cross "
            f"makes {binaries[0][1]}"
        )
    for file, name in found:
        plan.files[f"/lib/{name}"] = file.read_bytes()


def _add_certificates(plan: Plan, batch: Batch) -> None:
    folder = batch.path.parent / "certs"
    if folder.is_dir():
        for file, name in _tree(folder):
            plan.files[f"/certs/{name}"] = file.read_bytes()
    for path in batch.authorities:
        if path not in plan.files:
            raise BoardError(
                "config",
                f"{batch.path}: names {path}, but {folder / Path(path).name} is not there: "
                "copy the CA file into that folder",
            )


def _tree(folder: Path) -> list[tuple[Path, str]]:
    """Files below folder with their names relative to it, sorted."""
    return sorted(
        (file, file.relative_to(folder).as_posix())
        for file in folder.rglob("*")
        if file.is_file() and not any(part in _IGNORED for part in file.relative_to(folder).parts)
    )
