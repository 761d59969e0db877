"""Link: one board over one serial port, through MicroPython's raw REPL.

    with Link("/dev/ttyUSB0") as link:
        print(link.exec("import os; print(os.listdir())"))

A program that ran is interrupted, and started again at the end by a soft reset; a board that
stood at its prompt is left there. The board is never left in the raw REPL, and no call waits
longer than it says, whatever the board prints.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from . import faults, onboard
from .entering import RAW, Interruption
from .errors import BoardError
from .lines import Lines
from .resets import Resets
from .wire import Restarted, Wire

T = TypeVar("T")
# The last line of a traceback; a thread may print something in between.
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*(?::.*)?)\r?$", re.MULTILINE)
_CHUNK = 512  # bytes of a file in one go: 1 KB of digits, small beside an ESP32's heap
_LARGEST = 1 << 20  # bytes of a file that is read: a credential's have a few thousand
_ANSWER_S = 3  # how long the REPL itself may take
_TYPED, _PAUSE_S = 256, 0.01  # without flow control: so many bytes, then a pause
_BACK_S = 5  # how long a port may be gone
_ROUNDS = 30  # of work that a watchdog cuts off; each does a part of it


class Link:
    """A board's raw REPL, for a with statement. Every failure is a BoardError.

    stop: once set, whatever waits for the board raises "interrupted". notes: what a person should
    know of the way to the prompt.
    """

    def __init__(self, port: str, stop: threading.Event | None = None) -> None:
        self.port = str(port)
        self.running = False  # a program ran when we came, and is to run again
        self.notes: list[str] = []
        self._raw = False  # the board is in the raw REPL
        self._stop = stop
        self._resets = Resets()
        self._wire: Wire | None = None
        self._lines: Lines | None = None
        self._paste = True  # the board has the raw-paste mode: each since MicroPython 1.14

    def __enter__(self) -> Link:
        self._wire = Wire(self.port, self._stop, self._resets)
        way = Interruption(self._lengthen_watchdog)
        try:
            while True:
                try:
                    way.run(self._wire)
                    break
                except BoardError as error:
                    if error.code != "board.lost" or not self._port_is_back():
                        raise
        except BaseException:
            self._leave(way.ran)
            raise
        self.running = way.ran
        self._raw = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._raw:
            self._leave(self.running)
        self.close()

    def close(self) -> None:
        """Closes the port; the board stays as it is."""
        if self._lines is not None:
            self._lines.close()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def exec(self, code: str, timeout: float = 10) -> str:
        """Runs code on the board and returns what it printed.

        timeout: seconds for all of it. BoardError "board.exception" carries the last line of a
        traceback, so code must not put secrets into exceptions.
        """
        wire = self._open
        self._send(wire, code.encode())
        output = wire.until(b"\x04", seconds=timeout)
        fault = wire.until(b"\x04", seconds=_ANSWER_S) if output is not None else None
        if output is None or fault is None or wire.until(b">", seconds=_ANSWER_S) is None:
            raise self._silent()
        text = fault[:-1].decode("utf-8", "replace")
        if "Traceback" in text or "Error" in text:
            raise faults.error(self.port, "\n".join(_EXCEPTION.findall(text)) or text)
        return output[:-1].decode("utf-8", "replace").replace("\r\n", "\n")

    def read(self, path: str) -> bytes:
        """A file of the board; BoardError where there is none."""
        self._need(path, "rb")
        data = b""
        while piece := self.exec(f"print(_file.read({_CHUNK}).hex())").strip():
            with suppress(ValueError):
                data += bytes.fromhex(piece)
                if len(data) <= _LARGEST:
                    continue
            raise BoardError("board.answer", f"{self.port}: {path} has no end, or no bytes")
        self.exec("_file.close()")
        return data

    def write(self, path: str, data: bytes) -> None:
        """Writes a file in place; apply.py has the way that survives a pulled cable."""
        self._need(path, "wb")
        for at in range(0, len(data), _CHUNK):
            self.exec(f"_ = _file.write({data[at : at + _CHUNK]!r})")
        self.exec("_file.close()")

    def reset(self) -> None:
        """A hard reset: the board starts its programs, whatever ran before; see lines()."""
        self._send(self._open, onboard.source("reset").encode())
        self._raw = False

    def lines(self) -> Lines:
        """What the board prints from now on; the port stays open until the Link is closed."""
        self._lines = Lines(self.port, self._open.serial, begun=self._open.rest())
        return self._lines

    @property
    def _open(self) -> Wire:
        if self._wire is None:
            raise BoardError("board.lost", f"{self.port}: the port was closed: run it again")
        return self._wire

    def _need(self, path: str, mode: str) -> None:
        try:
            self.exec(f"_file = open({path!r}, {mode!r})")
        except BoardError as error:
            if error.code != "board.exception":
                raise
            raise BoardError("board.file", f"{self.port}: no file {path} on the board") from None

    def _send(self, wire: Wire, code: bytes) -> None:
        """Code for the raw prompt, up to where it runs. In between a thread may print."""
        if self._paste:
            wire.write(b"\x05A\x01")
            seen = wire.until(b"R\x01", b"R\x00", seconds=_ANSWER_S)
            if seen is None and RAW not in wire.rest():  # an older board goes to its raw prompt
                raise self._silent()
            self._paste = bool(seen and seen.endswith(b"\x01"))
        if self._paste:
            self._send_paste(wire, code)
            return
        for at in range(0, len(code), _TYPED):
            wire.write(code[at : at + _TYPED])
            time.sleep(_PAUSE_S)
        wire.write(b"\x04")
        if wire.until(b"OK", seconds=_ANSWER_S) is None:
            raise self._silent()

    def _send_paste(self, wire: Wire, code: bytes) -> None:
        """With flow control: a window's bytes, then as many for each byte 1 that comes back."""
        head = wire.take(2, seconds=_ANSWER_S)
        if head is None:
            raise self._silent()
        window = left = int.from_bytes(head, "little")
        while code:
            if left == 0:
                seen = wire.until(b"\x01", b"\x04", seconds=_ANSWER_S)
                if seen is None:
                    raise self._silent()
                if seen.endswith(b"\x04"):  # a syntax error: it takes no more
                    wire.write(b"\x04")
                    return
                left = window
            wire.write(code[:left])
            code, left = code[left:], max(0, left - len(code))
        wire.write(b"\x04")
        if wire.until(b"\x04", seconds=_ANSWER_S) is None:
            raise self._silent()

    def _lengthen_watchdog(self) -> None:
        """What restarted the board would do so again in the middle of the work."""
        self.notes = ["its watchdog restarted it in the middle"]
        try:
            self.exec(onboard.source("watchdog"))
            self.notes = ["its watchdog restarted it, and got ten minutes for this"]
        except BoardError as error:
            if error.code != "board.exception":  # a port that does not allow it
                raise

    def _port_is_back(self) -> bool:
        """Opens the port anew, once it is there: native USB goes away at every restart."""
        self.close()
        deadline = time.monotonic() + _BACK_S
        while time.monotonic() < deadline:
            if self._stop is not None and self._stop.wait(_BACK_S / 50):
                return False
            with suppress(BoardError):
                self._wire = Wire(self.port, self._stop, self._resets)
                return True
            time.sleep(_BACK_S / 50)
        return False

    def _leave(self, again: bool) -> None:
        """Out of the raw REPL; again: and the program starts anew."""
        if self._wire is not None:
            with suppress(BoardError):
                # \r ends what was half typed; Ctrl-B leaves the raw REPL; Ctrl-D is a soft reset
                self._wire.write(b"\r\x03\x02" + b"\x04" * again, stoppable=False)
        self.close()

    def _silent(self) -> BoardError:
        return BoardError(
            "board.lost",
            f"{self.port}: the board fell silent: press its reset button and run it again",
        )


def over_resets(port: str, stop: threading.Event | None, work: Callable[[Link], T]) -> T:
    """work(link) at a board's prompt, begun again as often as its watchdog cuts it off."""
    link = Link(port, stop)
    left = _ROUNDS
    while True:
        try:
            with link:
                return work(link)
        except Restarted as error:
            left -= 1
            if error.cause != "board.watchdog" or not left:
                raise
