"""What goes out on one MQTT connection: each frame as it is, or as a fault makes it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..later import later
from . import framing


class SessionFaults(Protocol):
    """What may go wrong on purpose with what a session sends."""

    def login_wait(self) -> float:
        """Seconds that a login takes."""
        ...

    def packet(self, frame: bytes) -> list[tuple[float, bytes | None]]:
        """(seconds to wait, frame) in the place of a frame; None closes the connection."""
        ...


class Outbox:
    """Sends on `writer`; `record` gets each frame that goes out."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        record: Callable[[bytes], None],
        faults: SessionFaults,
    ) -> None:
        self._writer = writer
        self._record = record
        self._faults = faults
        self._held: list[bytes | None] | None = None  # what waits behind a late CONNACK

    def send(self, frame: bytes) -> None:
        """Send a frame, now or as late as a fault says."""
        for wait, part in self._faults.packet(frame):
            if wait and frame[0] >> 4 == framing.CONNACK:
                self._held = []
                later(wait, self._release, part)
            elif self._held is not None:
                self._held.append(part)
            else:
                later(wait, self._write, part)

    def _release(self, connack: bytes | None) -> None:
        """Send a late CONNACK, and what has waited behind it."""
        held, self._held = self._held, None
        for part in (connack, *(held or ())):
            self._write(part)

    def _write(self, frame: bytes | None) -> None:
        """Send; None, as a fault may say, closes."""
        if frame is None:
            self._writer.close()
        elif not self._writer.is_closing():
            self._record(frame)
            self._writer.write(frame)
