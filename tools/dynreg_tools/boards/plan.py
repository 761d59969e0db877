"""What is to be done to one board: a function of what may go onto it and of what it holds.

Nothing is read or sent here, so that every case can be tried without a board.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import compiler, programs
from .content import NEW, Content, digests
from .errors import BoardError
from .programs import PROGRAMS, RECORD

_REFUSED = {
    "other": "the board is registered as {owner}, device_info.json says another: bring that "
    "file, or Device.forget() on the board first",
    "two": "device_info.json holds a deviceSecret, and the board another one: leave it at "
    "YOUR_DEVICE_SECRET in a batch's file",
}


@dataclass(frozen=True)
class Inventory:
    """What one board answers before a deploy (apply.take_inventory).

    board: identify() of onboard/identify.py. hashes: path -> SHA-256, base64, of what it holds of
    Content.inspected. hiding: what is found before the packages of /lib. parked: packages that an
    interrupted deploy has left at the root. idle: programs in which nothing is done. device_info:
    merge() of onboard/device_info.py.
    """

    port: str
    board: dict[str, Any]
    hashes: dict[str, str]
    hiding: tuple[str, ...] = ()
    parked: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    device_info: tuple[str, str | None] = ("new", None)


@dataclass(frozen=True, repr=False)
class Plan:
    """The steps of a deploy, in their order (apply.py takes them), and what they come to.

    files: all that is to be on the board. packages: those that are swapped whole; park: of them
    those that change. written, removed: the paths that change. write: what goes over the cable, by
    the place where it waits; what is there already from an interrupted deploy is not in it.
    waiting: the hashes of all that must wait there. keep: a person's own programs, of which a copy
    stays. switch: packages whose new copy comes into
    force. move: files that then move into their places, programs the last of all. inspected: the
    files and folders that must hold `files` at the end and nothing else.
    """

    files: dict[str, bytes]
    notes: tuple[str, ...]
    device_info: str
    packages: tuple[str, ...]
    park: tuple[str, ...]
    stale_modules: tuple[str, ...]
    write: dict[str, bytes]
    waiting: dict[str, str]
    keep: tuple[str, ...]
    switch: tuple[str, ...]
    move: tuple[str, ...]
    move_last: tuple[str, ...]
    stale_files: tuple[str, ...]
    inspected: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def hashes(self) -> dict[str, str]:
        """Of all that is to be on the board."""
        return digests(self.files)

    @property
    def report(self) -> dict[str, Any]:
        """What the plan comes to, for a person and a program."""
        return {
            "notes": list(self.notes),
            "written": list(self.written),
            "removed": list(self.removed),
            "kept": {path: path + programs.COPY for path in self.keep},
            "unchanged": len(self.files) - len(self.written),
            "bytes": sum(len(self.files[path]) for path in self.written),
            "device_info": self.device_info,
        }


def plan(content: Content, found: Inventory) -> Plan:
    """BoardError "config.other" or "config.two" where the board has another credential,
    "board.program" where it has programs of its own and nobody said that they may go."""
    what, owner = found.device_info
    if what in _REFUSED:
        raise BoardError(f"config.{what}", f"{found.port}: {_REFUSED[what].format(owner=owner)}")
    library, notes = _library(content, found)
    files = library | content.others
    packages = content.packages if library else ()
    present = {
        path: digest
        for path, digest in found.hashes.items()
        if library or not _package(path, content.packages)
    }
    wanted = digests(files)
    changed = [path for path, digest in wanted.items() if present.get(path) != digest]
    moved = [path for path in changed if not _package(path, packages)]
    stale = [path for path in present if path not in wanted and not path.endswith(NEW)]
    left = [path for path in present if path.endswith(NEW) and path.removesuffix(NEW) not in moved]
    own = programs.own(present, wanted, found.idle)
    hindered = [path for path in own if path not in content.may_replace]
    if hindered:
        sentence = programs.refusal(hindered, RECORD in content.others)
        raise BoardError("board.program", f"{found.port}: {sentence}")
    if RECORD in content.others and _deployed(present):
        own = []
    places = {path: path + NEW if path in moved else path for path in changed}
    touched = {name for path in (*changed, *stale) if (name := _package(path, packages))}
    return Plan(
        files=files,
        notes=notes,
        device_info=what,
        packages=packages,
        park=tuple(sorted(touched)),
        stale_modules=tuple(path for path in stale if _package(path, packages)),
        write={
            place: files[path]
            for path, place in places.items()
            if present.get(place) != wanted[path]
        },
        waiting={place: wanted[path] for path, place in places.items()},
        keep=tuple(own),
        switch=tuple(sorted(touched.union(set(found.parked) & set(packages)))),
        move=tuple(path for path in moved if path not in PROGRAMS),
        move_last=tuple(path for path in PROGRAMS if path in moved),
        stale_files=(*(path for path in stale if not _package(path, packages)), *left),
        inspected=(
            *(f"/lib/{name}" for name in packages),
            *(path for path in files if not _package(path, packages)),
        ),
        written=tuple(sorted(changed)),
        removed=tuple(sorted(stale)),
    )


def _deployed(present: dict[str, str]) -> bool:
    """Whether the programs on a board are those that an earlier deploy with --app left there."""
    return present.get(RECORD) == digests({RECORD: programs.record(present)})[RECORD]


def _library(content: Content, found: Inventory) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The library as this board takes it, none where its firmware has one; what to tell of it."""
    frozen, major = found.board["frozen"], found.board["mpy"]
    if frozen:
        return {}, (
            f"lib/ stays here: dynreg {frozen} is part of this firmware, which comes before /lib",
        )
    hides = tuple(
        f"{path} on the board hides the package of that name in /lib: give it another name, "
        "or take the lines for boot.py that stand in docs/protocol.md, 9"
        for path in found.hiding
    )
    if not content.compiled:
        return content.library, hides
    made = compiler.major(next(iter(content.compiled.values())))
    if made == major:
        return content.compiled, hides
    note = (
        f"lib/ goes as source: the board loads .mpy version {major or 'none'}, mpy-cross makes "
        f"{made}"
    )
    return content.library, (note, *hides)


def _package(path: str, packages: Iterable[str]) -> str | None:
    """The package of /lib that a path belongs to."""
    name = path.removeprefix("/lib/").split("/")[0]
    return name if path.startswith("/lib/") and name in packages else None
