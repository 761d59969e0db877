"""Applies a plan to one board: what changed is written, checked and moved into its place."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from . import onboard
from .batch import Batch
from .errors import BoardError
from .link import Link
from .plan import PROGRAMS, Plan

Progress = Callable[[str, float], None]
NEW = ".dynreg-new"  # what a file is called until it moves into its place
_PIECE = 1024  # bytes of files in one exec: little beside an ESP32's heap
_SENTENCES = {
    "other": "the board is registered as {owner}, device_info.json says another: bring that "
    "file, or Device.forget() on the board first",
    "two": "device_info.json holds a deviceSecret, and the board another one: leave it at "
    "YOUR_DEVICE_SECRET in a batch's file",
}


def identify(link: Link) -> dict[str, Any]:
    """identify() of onboard/identify.py: mac, micropython, mpy, device, registered, ..."""
    onboard.send(link, "identify")
    return onboard.call(link, "identify")


def apply(
    link: Link,
    plan: Plan,
    batch: Batch,
    board: dict[str, Any],
    dry_run: bool = False,
    progress: Progress = lambda _text, _part: None,
) -> dict[str, Any]:
    """Makes the board hold plan and batch; what was done, as a dict. BoardError.

    board: identify()'s answer. progress: called with a step and how much of it is done (0 to 1).
    Can be cut off anywhere: the board starts with the old files or the new ones, and the next
    call goes on.
    """
    progress("comparing", 0)
    onboard.send(link, "files")
    onboard.send(link, "device_info")
    info = _merge(link, batch, board)
    parked: list[str] = []
    if not dry_run:
        onboard.call(link, "set_clock", round(time.time() * 1000))
        parked = onboard.call(link, "recover", plan.packages, timeout=60)
    for path in onboard.call(link, "hiding", plan.packages):
        plan.notes.append(
            f"{path} on the board hides the package of that name in /lib: give it another name, "
            "or take the lines for boot.py that stand in docs/protocol.md, 9"
        )
    wanted = plan.hashes
    single = [path for path in wanted if not plan.package(path)]
    roots = [f"/lib/{name}" for name in plan.packages]
    inspected = [*roots, *single, *plan.conflicts, *(path + NEW for path in single)]
    present = onboard.call(link, "hashes", inspected, timeout=60)
    changed = [path for path, hash in wanted.items() if present.get(path) != hash]
    stale = [path for path in present if path not in wanted and not path.endswith(NEW)]
    report = {
        "written": sorted(changed),
        "removed": sorted(stale),
        "unchanged": len(wanted) - len(changed),
        "bytes": sum(len(plan.files[path]) for path in changed),
        "device_info": info,
    }
    if dry_run:
        return report
    packages = sorted({name for path in [*changed, *stale] if (name := plan.package(path))})
    moves = [path for path in changed if not plan.package(path)]
    onboard.call(link, "park", packages, timeout=60)
    onboard.call(link, "clean", [path for path in stale if plan.package(path)])
    places = {path: path + NEW if path in moves else path for path in changed}
    todo = [path for path in changed if present.get(places[path]) != wanted[path]]
    _send(link, {places[path]: plan.files[path] for path in todo}, progress)
    if changed:
        progress("checking", 1)
        _check(link, list(places.values()), {place: wanted[p] for p, place in places.items()})
    onboard.call(link, "switch", sorted({*packages, *parked}), timeout=60)
    onboard.call(link, "move", [path for path in moves if path not in PROGRAMS], timeout=60)
    onboard.call(link, "write_info")
    onboard.call(link, "move", [path for path in PROGRAMS if path in moves])
    left = [path for path in present if path.endswith(NEW) and path.removesuffix(NEW) not in moves]
    onboard.call(link, "clean", [*(path for path in stale if not plan.package(path)), *left])
    if changed or stale:
        _check(link, [*roots, *single], wanted)
    return report


def _merge(link: Link, batch: Batch, board: dict[str, Any]) -> str:
    text, own = batch.template
    what, owner = onboard.call(link, "merge", text, own, board["mac"].replace(":", ""))
    if what in _SENTENCES:
        raise BoardError(f"config.{what}", f"{link.port}: " + _SENTENCES[what].format(owner=owner))
    return what


def _send(link: Link, files: dict[str, bytes], progress: Progress) -> None:
    """Writes files, several small ones or a piece of a large one at a time."""
    total = sum(len(data) for data in files.values()) or 1
    done = size = 0
    lines: list[str] = []
    for path, data in files.items():
        for at in range(0, len(data) or 1, _PIECE):
            piece = data[at : at + _PIECE]
            if lines and size + len(piece) > _PIECE:
                link.exec("\n".join(lines))
                progress("copying", done / total)
                lines, size = [], 0
            last = at + _PIECE >= len(data)
            lines.append(f"put({path!r}, {b64encode(piece)!r}, {at == 0}, {last})")
            size += len(piece)
            done += len(piece)
    if lines:
        link.exec("\n".join(lines))


def _check(link: Link, paths: list[str], wanted: dict[str, str]) -> None:
    present = onboard.call(link, "hashes", paths, timeout=60)
    wrong = sorted(path for path in {*present, *wanted} if present.get(path) != wanted.get(path))
    if wrong:
        raise BoardError(
            "board.verify",
            f"{link.port}: {wrong[0]} does not read back as written: run it again; if it stays, "
            "the flash is worn out",
        )
