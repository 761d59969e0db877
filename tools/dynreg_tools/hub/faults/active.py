"""The faults that are switched on: asked at every hook, changed at any time, in the hub's loop."""

import asyncio
from collections.abc import Callable

from .catalogue import parse
from .kinds import LISTEN, Fault


class Faults:
    """All active faults.

    `emit` reports an event when one is triggered. `switched` gets (fault, True) when one comes on
    and (fault, False) when it is gone; an exception from it leaves a new one off.
    """

    def __init__(
        self,
        emit: Callable[..., None],
        switched: Callable[[Fault, bool], None] = lambda _fault, _on: None,
    ) -> None:
        self._emit = emit
        self._switched = switched
        self._active: list[Fault] = []

    def add(self, spec: str) -> Fault:
        """Switch one on, in the place of one of the same name and service; FaultError."""
        fault = parse(spec)
        for old in list(self._active):
            if (old.kind, old.service) == (fault.kind, fault.service):
                self._remove(old)
        self._active.append(fault)
        try:
            self._switched(fault, True)
        except BaseException:
            self._active.remove(fault)
            raise
        self._emit("fault_on", **_named(fault, fault.service))
        if fault.kind.hook == LISTEN:
            self.report(fault, fault.service)
        if fault.kind.expires:
            asyncio.get_running_loop().call_later(fault.argument, self._expire, fault)
        return fault

    def clear(self, name: str | None = None) -> int:
        """Switch off all, or all of a name; how many those were."""
        gone = [fault for fault in self._active if name in (None, fault.kind.name)]
        for fault in gone:
            self._remove(fault)
        return len(gone)

    def active(self) -> list[dict]:
        """The active ones as rows."""
        return [fault.row() for fault in self._active]

    def trigger(self, hook: str, service: str | None = None, on: object = None) -> Fault | None:
        """The fault that applies here and now, None when there is none; counts and reports it."""
        for fault in self._active:
            kind = fault.kind
            if (
                kind.hook == hook
                and fault.service in (None, service)
                and (kind.on in (None, on) or (isinstance(kind.on, tuple) and on in kind.on))
            ):
                self.report(fault, service)
                return fault
        return None

    def report(self, fault: Fault, service: str | None = None) -> None:
        """Report that a fault was triggered, and drop it when that was the last time."""
        self._emit("fault", **_named(fault, service))
        if fault.left is not None:
            fault.left -= 1
            if not fault.left:
                self._remove(fault)

    def _expire(self, fault: Fault) -> None:
        if any(other is fault for other in self._active):
            self._remove(fault)

    def _remove(self, fault: Fault) -> None:
        self._active.remove(fault)
        self._switched(fault, False)
        self._emit("fault_off", **_named(fault, fault.service))


def _named(fault: Fault, service: str | None) -> dict:
    return {"name": fault.kind.name, "argument": fault.argument, "service": service}
