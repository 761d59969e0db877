"""Asks one board what it holds, and applies a plan: written, checked, moved into its place."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from . import answers, faults, onboard
from .content import Content
from .errors import BoardError
from .link import Link
from .plan import Inventory, Plan
from .programs import PROGRAMS

Progress = Callable[[str, float], None]
_INVENTORY: dict[str, answers.Check] = {
    "board": lambda value: isinstance(value, dict),
    "hashes": answers.digests,
    "hiding": answers.texts,
    "parked": answers.texts,
    "idle": answers.texts,
    "device_info": lambda value: (
        isinstance(value, list)
        and len(value) == 2
        and value[0] in ("same", "new", "changed", "kept", "damaged", "other", "two")
        and (value[1] is None or answers.text(value[1]))
    ),
}
_PIECE = 1024  # bytes of files in one exec: little beside an ESP32's heap


def identify(link: Link) -> dict[str, Any]:
    """identify() of onboard/identify.py: mac, micropython, mpy, device, registered, ..."""
    onboard.send(link, "identify")
    return answers.checked(link.port, onboard.call(link, "identify"), answers.BOARD)


def take_inventory(link: Link, content: Content) -> Inventory:
    """All that plan() must know of a board, in one exchange; nothing is changed. BoardError."""
    try:
        return _inventory(link, content)
    except BoardError as error:
        raise faults.of_listing(error, link.port) from None


def _inventory(link: Link, content: Content) -> Inventory:
    onboard.send(link, "identify", "files", "device_info")
    text, own = content.batch.template
    found = onboard.call_each(
        link,
        timeout=60,
        board=("identify",),
        hashes=("hashes", content.inspected),
        hiding=("hiding", content.packages),
        parked=("parked_of", content.packages),
        idle=("idle", PROGRAMS),
        device_info=("merge", text, own),
    )
    answers.checked(link.port, found, _INVENTORY)
    return Inventory(
        link.port,
        answers.checked(link.port, found["board"], answers.BOARD),
        found["hashes"],
        tuple(found["hiding"]),
        tuple(found["parked"]),
        tuple(found["idle"]),
        tuple(found["device_info"]),
    )


def apply(
    link: Link, plan: Plan, progress: Progress = lambda _text, _part: None
) -> dict[str, str]:
    """Makes the board hold what the plan says; the copies of plan.keep by path. BoardError.

    The link is the one over which the inventory was taken. progress: called with a step and how
    much of it is done (0 to 1). Can be cut off anywhere: the board starts with the old files or
    the new ones, and the next deploy goes on.
    """
    onboard.call(link, "set_clock", round(time.time() * 1000))
    onboard.call(link, "recover", plan.packages, timeout=60)
    onboard.call(link, "park", plan.park, timeout=60)
    onboard.call(link, "clean", plan.stale_modules)
    _send(link, plan.write, progress)
    if plan.waiting:
        progress("checking", 1)
        _check(link, tuple(plan.waiting), plan.waiting)
    kept = answers.checked(
        link.port,
        onboard.call(link, "keep", plan.keep, timeout=60),
        dict.fromkeys(plan.keep, answers.text),
    )
    onboard.call(link, "switch", plan.switch, timeout=60)
    onboard.call(link, "move", plan.move, timeout=60)
    onboard.call(link, "write_info")
    onboard.call(link, "move", plan.move_last)
    onboard.call(link, "clean", plan.stale_files)
    if plan.written or plan.removed:
        _check(link, plan.inspected, plan.hashes)
    return kept


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
            lines.append(onboard.statement("put", path, b64encode(piece), at == 0, last))
            size += len(piece)
            done += len(piece)
    if lines:
        link.exec("\n".join(lines))


def _check(link: Link, paths: tuple[str, ...], wanted: dict[str, str]) -> None:
    answer = onboard.call(link, "hashes", paths, timeout=60)
    present = answers.one(link.port, answer, answers.digests)
    wrong = sorted(path for path in {*present, *wanted} if present.get(path) != wanted.get(path))
    if wrong:
        raise BoardError(
            "board.verify",
            f"{link.port}: {wrong[0]} does not read back as written: run it again; if it stays, "
            "the flash is worn out",
        )
