"""Link: one board over one serial port, through mpremote's raw REPL.

    with Link("/dev/ttyUSB0") as link:
        print(link.exec("import os; print(os.listdir())"))

A program that ran is interrupted, and started again at the end by a soft reset; a board that
stood at its prompt is left there. The board is never left in the raw REPL.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from . import faults, onboard
from .errors import BoardError
from .lines import Lines

_PROMPT = b">>> "
_RAW = b"raw REPL; CTRL-B to exit\r\n"
_CHUNK = 1024  # bytes of a file in one go: 1.4 KB of base64, small beside an ESP32's heap
_READ_S = 3  # the longest silence inside one exchange
_PROMPT_S = 0.15  # how long a prompt may take to answer a line end
_TRIES = 3  # Ctrl-C may come while the board still starts, and is lost then


class Link:
    """A board's raw REPL, for a with statement. Every failure is a BoardError.

    stop: once set, the next exec() raises "interrupted" instead of going on.
    """

    def __init__(self, port: str, stop: threading.Event | None = None) -> None:
        self.port = str(port)
        self.running = False  # a program ran when we came, and is to run again
        self._raw = False  # the board is in the raw REPL
        self._stop = stop
        self._transport: Any = None  # mpremote's, which has no types
        self._lines: Lines | None = None

    def __enter__(self) -> Link:
        self._open()
        try:
            with self._board_errors():
                self.running = not self._at_prompt()
                self._enter_raw()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(OSError):
            if self._transport is not None and self._raw:
                # \r ends what was half typed; Ctrl-B leaves the raw REPL; Ctrl-D is a soft reset
                self._transport.serial.write(b"\r\x03\x02" + (b"\x04" if self.running else b""))
        self.close()

    def close(self) -> None:
        """Closes the port; the board stays as it is."""
        if self._lines is not None:
            self._lines.close()
        transport, self._transport = self._transport, None
        if transport is not None:
            try:
                transport.close()
            except OSError:  # a port that went away cannot set its lines, but must be closed
                transport.serial.close()

    def exec(self, code: str, timeout: float = 10) -> str:
        """Runs code on the board and returns what it printed.

        timeout: the longest silence, in seconds. BoardError "board.exception" carries the last
        line of a traceback, so code must not put secrets into exceptions.
        """
        if self._stop is not None and self._stop.is_set():
            raise BoardError(
                "interrupted", f"{self.port}: stopped by Ctrl-C; run it again to go on"
            )
        with self._board_errors():
            output, fault = self._transport.exec_raw(code, timeout)
        if fault:
            raise faults.error(self.port, fault)
        return output.decode("utf-8", "replace").replace("\r\n", "\n")

    def read(self, path: str) -> bytes:
        """A file of the board; BoardError where there is none."""
        with self._board_errors(path):
            return bytes(self._transport.fs_readfile(path, chunk_size=_CHUNK))

    def write(self, path: str, data: bytes) -> None:
        """Writes a file in place; apply.py has the way that survives a pulled cable."""
        with self._board_errors(path):
            self._transport.fs_writefile(path, data, chunk_size=_CHUNK)

    def reset(self) -> None:
        """A hard reset: the board starts its programs, whatever ran before; see lines()."""
        with self._board_errors():
            self._transport.exec_raw_no_follow(onboard.source("reset"))
        self._raw = False

    def lines(self) -> Lines:
        """What the board prints from now on; the port stays open until the Link is closed."""
        self._lines = Lines(self.port, self._transport.serial)
        return self._lines

    def _open(self) -> None:
        try:
            # mpremote knows a pty by its own name only, and is slow on what it takes for a UART
            name = os.path.realpath(self.port) if os.name == "posix" else self.port
            self._transport = SerialTransport(name, timeout=_READ_S)
        except (TransportError, OSError, ValueError):
            raise BoardError("board.port", _why_not(self.port)) from None
        self._transport.serial.write_timeout = _READ_S

    def _at_prompt(self) -> bool:
        serial = self._transport.serial
        serial.reset_input_buffer()
        serial.write(b"\r")
        serial.timeout = _PROMPT_S
        try:
            return serial.read_until(_PROMPT).endswith(_PROMPT)
        finally:
            serial.timeout = _READ_S

    def _enter_raw(self) -> None:
        # mpremote's own enter_raw_repl prints what it receives, and resets the board in passing
        transport = self._transport
        for _ in range(_TRIES):
            transport.serial.write(b"\r\x03\x03")
            transport.serial.write(b"\r\x01")
            if transport.read_until(1, _RAW, _READ_S, timeout_overall=10).endswith(_RAW):
                self._raw = True
                return
        raise BoardError(
            "board.silent",
            f"{self.port}: no MicroPython prompt: press its reset button, or flash MicroPython",
        )

    @contextmanager
    def _board_errors(self, path: str | None = None) -> Iterator[None]:
        """Turns what mpremote and pyserial raise into a BoardError."""
        try:
            yield
        except TransportExecError as error:
            raise faults.error(self.port, error.error_output) from None
        except (FileNotFoundError, IsADirectoryError) as error:
            if path is None:
                raise BoardError("board.lost", f"{self.port}: {error}") from None
            raise BoardError("board.file", f"{self.port}: no file {path} on the board") from None
        except (TransportError, OSError, struct.error):
            if Path(self.port).exists():
                why = "the board fell silent or restarted: run it again to go on"
            else:
                why = "the cable was pulled: plug it in and run it again to go on"
            raise BoardError("board.lost", f"{self.port}: {why}") from None


def _why_not(port: str) -> str:
    place = Path(port)
    if os.name == "posix" and not place.exists():
        return f"{port}: no such port: 'dynreg ports' lists what is connected"
    if os.name == "posix" and not os.access(port, os.R_OK | os.W_OK):
        return f"{port}: no right to open it: join its group (dialout on most systems)"
    return f"{port}: cannot be opened: close the other program that has it (a serial monitor?)"
