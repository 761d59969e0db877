"""Lines: what a board prints on its serial port, over resets and replugged cables."""

from __future__ import annotations

import time

import serial

from ..printable import clean

PROMPT = ">>>"  # what read() gives when the board's prompt stands there
_PROMPT = b">>> "
_POLL_S = 0.1
_MAX_LINE = 4096  # bytes; noise at another baud rate has no line ends
_WITHIN = "… "  # before what goes on in a longer one, so that it is taken for no line's beginning


class Lines:
    """read() gives line after line. opened: an open port (pyserial) to go on with, or None.

    back_s: how long a port may be gone; native USB goes away at every reset. begun: what came
    from it already.
    """

    def __init__(
        self,
        port: str,
        opened: serial.Serial | None = None,
        back_s: float = 5,
        begun: bytes = b"",
    ) -> None:
        self.port = port
        self.lost = False  # the port is gone, for longer than back_s
        self._serial = opened
        self._back_s = back_s
        self._gone_at: float | None = None
        self._buffer = begun
        self._within = ""

    def read(self, timeout: float) -> str | None:
        """The next line, printable, without its end; PROMPT; None after timeout seconds or when
        lost. A line that is too long comes in pieces, each but the first marked as one.
        """
        deadline = time.monotonic() + timeout
        while True:
            at = self._buffer.find(b"\n", 0, _MAX_LINE)
            if at >= 0 or len(self._buffer) >= _MAX_LINE:
                line = self._buffer[: _MAX_LINE if at < 0 else at]
                self._buffer = self._buffer[len(line) + (at >= 0) :]
                before, self._within = self._within, _WITHIN if at < 0 else ""
                return before + clean(line.decode("utf-8", "replace").strip("\r"), _MAX_LINE)
            left = deadline - time.monotonic()
            if left <= 0 or self.lost:
                return None
            data = self._receive(min(left, _POLL_S))
            self._buffer += data
            if not data and self._buffer == _PROMPT:
                self._buffer = b""
                return PROMPT

    @property
    def gone(self) -> bool:
        """The port is not there at the moment."""
        return self._gone_at is not None

    def close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    def _receive(self, wait: float) -> bytes:
        """What comes within wait seconds; opens the port again if it went away."""
        try:
            if self._serial is None:
                self._serial = serial.serial_for_url(self.port, 115200, exclusive=True)
                self._gone_at = None
            self._serial.timeout = wait
            data = self._serial.read(1)
            return data + self._serial.read(self._serial.in_waiting) if data else b""
        except (OSError, TypeError):  # TypeError: pyserial, when the port is closed meanwhile
            self.close()
            self._gone_at = self._gone_at or time.monotonic()
            self.lost = time.monotonic() - self._gone_at > self._back_s
            if not self.lost:
                time.sleep(wait)
            return b""
