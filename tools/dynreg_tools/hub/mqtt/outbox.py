"""What goes out on one MQTT connection: each frame as it is, or as a fault makes it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..later import later
from . import framing

_UNREAD = 8 * 1024 * 1024  # bytes: more than all that a session may be sent anew at its login


class SessionFaults(Protocol):
    """What may go wrong on purpose with what a session sends."""

    def login_wait(self) -> float:
        """Seconds that a login takes."""
        ...

    def packet(self, frame: bytes) -> list[tuple[float, bytes | None]]:
        """(seconds to wait, frame) in the place of a frame; None closes the connection."""
        ...


class Outbox:
    """Sends on `writer`; `record` gets each frame that goes out.

    A peer that does not read loses its connection once so much waits for it; `unread` says so.
    """

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        record: Callable[[bytes], None],
        faults: SessionFaults,
    ) -> None:
        self._writer = writer
        self._record = record
        self._faults = faults
        self.unread = False
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
            if self._writer.transport.get_write_buffer_size() > _UNREAD:
                self.unread = True
                self._writer.transport.abort()
                return
            self._record(frame)
            self._writer.write(frame)
