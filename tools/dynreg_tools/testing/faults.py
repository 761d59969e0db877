"""Faults of a hub, switched by a test."""

from __future__ import annotations

from ..hub import Hub


class Faults:
    """Of one hub; they end with it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def on(self, spec: str) -> None:
        """NAME[@SERVICE][:ARG][*TIMES], as docs/faults.md has them. HubError when it is none."""
        self._hub.fault(spec)

    def off(self, name: str | None = None) -> int:
        """Switches off one, or all; how many those were."""
        return self._hub.clear_faults(name)

    def triggered(self, name: str) -> int:
        """How often a fault has been triggered, by the hub's own count."""
        return sum(e["event"] == "fault" and e["name"] == name for e in self._hub.events)
