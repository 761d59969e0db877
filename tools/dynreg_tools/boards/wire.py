"""Wire: the bytes of one serial port; no read lasts longer than it may, whatever comes."""

from __future__ import annotations

import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from .errors import BoardError
from .resets import Resets

_POLL_S = 0.05  # the longest wait that sees neither a deadline nor stop
_WRITE_S = 1  # a board that takes nothing for so long takes nothing more
_OPEN_S = 0.5  # another program may look at a port that has just come, and let go of it
_RESET_S = 0.1  # how long RESET is pressed
_PIECE = 4096  # bytes read in one go
_MOST = 1 << 20  # bytes of one answer; none of ours is a tenth of it


class Restarted(BoardError):
    """ "board.lost": the board restarted under our hands. cause: see resets.Resets."""

    def __init__(self, port: str, resets: Resets) -> None:
        why = f" ({resets.why})" if resets.why else ""
        super().__init__("board.lost", f"{port}: the board restarted{why}: run it again to go on")
        self.cause = resets.cause


class Wire:
    """An open port. Every failure is a BoardError.

    stop: once set, every read and write raises "interrupted". resets: fed with all that comes.
    heard, sent: the latest bytes of either direction, for who wonders what is at the other end.
    """

    def __init__(self, port: str, stop: threading.Event | None, resets: Resets) -> None:
        self.port = port
        self.resets = resets
        self.heard = self.sent = b""
        self.total = 0  # bytes heard
        self._restarts = resets.count  # those that nobody need be told of
        self._stop = stop
        self._buffer = b""  # what came behind the end of the last read
        self._transport: Any = _opened(port)
        self.serial: Any = self._transport.serial  # pyserial's, which has no types
        self.serial.write_timeout = _WRITE_S

    def close(self) -> None:
        try:
            self._transport.close()
        except OSError:  # a port that went away cannot set its lines, but must be closed
            self.serial.close()

    def write(self, data: bytes, stoppable: bool = True) -> None:
        if stoppable:
            self._check_stop()
        try:
            self.serial.write(data)
        except (OSError, TypeError, struct.error) as error:
            raise self._lost() from error
        self.sent = (self.sent + data)[-_PIECE:]

    def press_reset(self) -> None:
        """By the lines that auto-reset circuits and USB-serial units of ESP32 have, as esptool."""
        with suppress(OSError):  # a pty has none
            self.serial.dtr, self.serial.rts = False, True
            time.sleep(_RESET_S)
            self.serial.rts = False

    def until(self, *ends: bytes, seconds: float, restarts: bool = False) -> bytes | None:
        """All up to the first of ends, with it; what comes behind waits for the next read.

        None, and nothing is taken away, when it has not come in that time. restarts: a restart of
        the board is no error, else Restarted.
        """
        deadline = time.monotonic() + seconds
        while True:
            if restarts:
                self._restarts = self.resets.count
            found = [at + len(end) for end in ends if (at := self._buffer.find(end)) >= 0]
            if found:
                return self._take(min(found))
            if self.resets.count != self._restarts:
                raise Restarted(self.port, self.resets)
            if len(self._buffer) > _MOST:
                if not restarts:
                    raise BoardError(
                        "board.lost", f"{self.port}: the board prints without end: press reset"
                    )
                self._buffer = self._buffer[-_PIECE:]
            if time.monotonic() >= deadline:
                return None
            self._receive()

    def take(self, size: int, seconds: float) -> bytes | None:
        """The next bytes, so many; None where they do not come in that time."""
        deadline = time.monotonic() + seconds
        while len(self._buffer) < size:
            if time.monotonic() >= deadline:
                return None
            self._receive()
        return self._take(size)

    def rest(self) -> bytes:
        """What came and was not read yet."""
        return self._take(len(self._buffer))

    def forget(self) -> None:
        """What came so far and was not read."""
        self._buffer = b""
        deadline = time.monotonic() + _POLL_S
        while time.monotonic() < deadline and self._receive(wait=False):
            self._buffer = b""

    def _take(self, size: int) -> bytes:
        seen, self._buffer = self._buffer[:size], self._buffer[size:]
        return seen

    def _receive(self, wait: bool = True) -> bool:
        self._check_stop()
        try:
            waiting = self.serial.in_waiting
            data = b""
            if wait or waiting:
                data = self.serial.read(min(waiting, _PIECE) or 1)
        except (OSError, TypeError) as error:  # TypeError: pyserial's, of a port that was closed
            raise self._lost() from error
        self._buffer += data
        self.total += len(data)
        self.heard = (self.heard + data)[-_PIECE:]
        self.resets.feed(data)
        return bool(data)

    def _check_stop(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise BoardError(
                "interrupted", f"{self.port}: stopped by Ctrl-C; run it again to go on"
            )

    def _lost(self) -> BoardError:
        if Path(self.port).exists():
            why = "the board fell silent or restarted: run it again to go on"
        else:
            why = "the cable was pulled: plug it in and run it again to go on"
        return BoardError("board.lost", f"{self.port}: {why}")


def _opened(port: str) -> SerialTransport:
    """mpremote knows how to open a port without a reset, on Windows too. BoardError."""
    deadline = time.monotonic() + _OPEN_S
    while True:
        # a link of a virtual board is looked up each time, for its port has another name
        name = os.path.realpath(port) if os.name == "posix" else port
        try:
            return SerialTransport(name, timeout=_POLL_S)
        except (TransportError, OSError, ValueError):
            if time.monotonic() > deadline or not Path(name).exists():
                raise BoardError("board.port", _why_not(port)) from None
        time.sleep(_POLL_S)


def _why_not(port: str) -> str:
    place = Path(port)
    if os.name == "posix" and not place.exists():
        return f"{port}: no such port: 'dynreg ports' lists what is connected"
    if os.name == "posix" and not os.access(port, os.R_OK | os.W_OK):
        return f"{port}: no right to open it: join its group (dialout on most systems)"
    return f"{port}: cannot be opened: close the other program that has it (a serial monitor?)"
