"""Boards that are plugged in and out: which one is due, each once, a failed one once again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from serial.tools import list_ports

from ..printable import clean
from . import discovery

TRIES = 2  # at a board, for as long as it stays plugged in
SETTLE_S = 1  # a new port gets its rights, and another program may look at it first
AGAIN_S = 5  # between two tries: what passes by itself has the time to
_UNKNOWN = "a USB device that says no name"


@dataclass
class Seen:
    """What is plugged in: the ports of boards with a mark that another plug changes, and those of
    other USB devices with what these call themselves."""

    boards: dict[str, Any]
    others: dict[str, str]


def look(named: Sequence[str], virtual: str | None) -> Seen | None:
    """What is plugged in now: of the named ports, or else all; None where it changes just now."""
    if named:
        return Seen(_marked(named), {})
    try:
        ports = list_ports.comports()
    except (OSError, TypeError, ValueError):  # pyserial, of a device that goes while it is read
        return None
    usb = [port for port in ports if port.vid is not None]
    boards = sorted(port.device for port in usb if port.vid in discovery.VENDORS)
    others = {port.device: _words(port) for port in usb if port.vid not in discovery.VENDORS}
    if virtual and os.path.isdir(virtual):
        boards += discovery.virtual_ports(virtual)
    return Seen(_marked(boards), others)


@dataclass
class _Plug:
    mark: Any  # None: it is out by now
    due: float | None  # when to begin; None: it is done, and left alone until it was unplugged
    tries: int = 0
    busy: bool = False


class Plugged:
    """The state of each port. Not for several threads.

    came, went: called with a port when a board is plugged in, and when one that is not worked on
    is unplugged. other: once for each port that is no board's, with what it is.
    """

    def __init__(
        self,
        look: Callable[[], Seen | None],
        came: Callable[[str], None],
        went: Callable[[str], None],
        other: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._clock = look, clock
        self._came, self._went, self._other = came, went, other
        self._plugs: dict[str, _Plug] = {}
        self._told: set[tuple[str, str]] = set()

    def due(self, free: int) -> list[str]:
        """The ports to begin with now, `free` at most; they are worked on until finished()."""
        self._scan()
        now = self._clock()
        ready = [
            (port, plug)
            for port, plug in self._plugs.items()
            if not plug.busy and plug.due is not None and plug.due <= now
        ][:free]
        for _, plug in ready:
            plug.busy = True
            plug.tries += 1
        return [port for port, _ in ready]

    def finished(self, port: str, failed: bool) -> bool:
        """The work at a port is done; whether it is begun once again, since it failed."""
        self._scan()
        plug = self._plugs[port]
        plug.busy = False
        if plug.mark is None:  # what comes there next is another board, or a new try
            del self._plugs[port]
            return False
        again = failed and plug.tries < TRIES
        plug.due = self._clock() + AGAIN_S if again else None
        return again

    def there(self, port: str) -> bool:
        """Whether it is plugged in, as it was last seen."""
        return port in self._plugs

    def _scan(self) -> None:
        seen = self._look()
        if seen is None:
            return
        for port, plug in list(self._plugs.items()):
            mark = seen.boards.get(port)
            if mark == plug.mark:
                continue
            if plug.busy:  # a reset takes native USB away for a moment; the work itself will tell
                plug.mark = mark
            else:
                del self._plugs[port]
                self._went(port)
        for port, mark in seen.boards.items():
            if port not in self._plugs:
                self._plugs[port] = _Plug(mark, self._clock() + SETTLE_S)
                self._came(port)
        for told in seen.others.items():
            if told not in self._told:
                self._told.add(told)
                self._other(*told)


def _marked(ports: Sequence[str]) -> dict[str, Any]:
    if os.name != "posix":
        there = {port.device for port in list_ports.comports()}
        return {port: True for port in ports if port in there}
    marks = {port: _mark(port) for port in dict.fromkeys(ports)}
    return {port: mark for port, mark in marks.items() if mark is not None}


def _mark(port: str) -> Any:
    """Another one for each device that comes to a path, be it a node or a link to one."""
    try:
        own, behind = os.lstat(port), os.stat(port)
    except OSError:
        return None
    link = (own.st_ino, own.st_ctime_ns) if own.st_ino != behind.st_ino else None
    return link, behind.st_ino, behind.st_rdev


def _words(port: Any) -> str:
    words = " ".join(filter(None, (port.manufacturer, port.product))) or _UNKNOWN
    return f"{clean(words)} ({port.vid:04x}:{port.pid:04x})"
