"""The way to a board's raw REPL, whatever runs on it, and what stands there in its place.

A Ctrl-C is raised in the program wherever it is; a program that catches it goes on. So Ctrl-C is
sent again and again: once it comes while the program starts, ends or handles the one before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from . import faults
from .errors import BoardError
from .wire import Restarted, Wire

PROMPT = b">>> "
RAW = b"raw REPL; CTRL-B to exit\r\n>"
ENTER_S = 20  # longer than what wakes, works for a moment and sleeps again
SILENT_S = 6  # for a board that says nothing at all
_ANSWER_S = 0.12  # how long a prompt may take to answer; a Ctrl-C at least every 0.2 s
_START_S = 0.03  # the same while the board starts: its program has not caught anything yet
_STARTS_S = 2  # how long a start takes
_MILDLY = 10  # rounds with one Ctrl-C each, then _BURST of them,
_BURST, _GAP_S = 20, 0.001  # so far apart that a UART's receiver raises each
_RESETS_EACH = 20  # rounds, some 3 s
_RESTART_S = 8  # a soft reset, with a boot.py that may wait for something
_BOOT_PY_S = 3  # then boot.py is interrupted
_HOPELESS = {"board.loader", "board.firmware", "board.brownout"}
# What a prompt says to Ctrl-C and Ctrl-A, at most behind a program's last words.
_QUIET = re.compile(rb"(?:\s*>>> )+\s*" + re.escape(RAW))
_STOOD = re.compile(rb">>> \s*>>> \s*" + re.escape(RAW))
_FEW = 1000
_NOT_TEXT = re.compile(rb"[^\t\r\n\x1b -~]")
_MICROPYTHON = re.compile(rb"MicroPython|Traceback|KeyboardInterrupt|rst:0x")


class NoPrompt(BoardError):
    """The board does not come to a prompt; flashing it is a remedy."""


class Interruption:
    """Brings a board to its raw REPL. ran: a program ran, or something goes on behind the prompt.

    watchdog: called at the raw prompt when the watchdog restarted the board before.
    """

    def __init__(self, watchdog: Callable[[], None]) -> None:
        self._watchdog = watchdog
        began = time.monotonic()
        self._end, self._silent_end = began + ENTER_S, began + SILENT_S
        self.ran = False

    def run(self, wire: Wire) -> None:
        """At the raw prompt nothing of the program is left: a soft reset took its threads.

        What stood at its prompt and was quiet is left as it is. BoardError: NoPrompt where there
        is none, or those of the wire.
        """
        wire.forget()
        while True:
            self._to_prompt(wire)
            try:
                if wire.resets.cause == "board.watchdog":
                    self._watchdog()
                if not self.ran:
                    return
                wire.write(b"\x04")
                if _restarted(wire):
                    return
            except Restarted:  # by a watchdog that was quicker
                continue

    def _to_prompt(self, wire: Wire) -> None:
        round_, starts, started = 0, wire.resets.count, 0.0
        before = b""  # what came up to the prompt
        while not self._give_up(wire):
            if wire.resets.count != starts:
                starts, started = wire.resets.count, time.monotonic()
            wait = _START_S if time.monotonic() - started < _STARTS_S else _ANSWER_S
            for _ in range(_BURST if round_ >= _MILDLY else 1):
                wire.write(b"\x03")
                if round_ >= _MILDLY:
                    time.sleep(_GAP_S)
            before += wire.until(PROMPT, seconds=wait, restarts=True) or b""
            wire.write(b"\x01")
            seen = wire.until(RAW, seconds=wait / 2, restarts=True)
            if seen is not None:
                before += seen
                stood = _STOOD.search(before) if round_ == 0 else None  # after one Ctrl-C
                self.ran = self.ran or not (stood or _QUIET.fullmatch(before))
                if not self.ran:  # threads and timers may talk behind the prompt
                    self.ran = wire.until(b"\n", seconds=_ANSWER_S, restarts=True) is not None
                return
            before = before[-_FEW:]
            round_ += 1
            if round_ % _RESETS_EACH == 0:  # its start, too, catches no Ctrl-C
                wire.press_reset()
        raise _why(wire)

    def _give_up(self, wire: Wire) -> bool:
        now, resets = time.monotonic(), wire.resets
        if resets.cause == "board.loader" or (resets.cause in _HOPELESS and resets.looping):
            return True
        return now > (self._end if wire.total else self._silent_end)


def _restarted(wire: Wire) -> bool:
    """Waits for the raw prompt after a soft reset; not for ever for boot.py."""
    began = time.monotonic()
    marks = [b"soft reboot", RAW]
    while (passed := time.monotonic() - began) < _RESTART_S:
        if wire.until(marks[0], seconds=_ANSWER_S, restarts=True) is not None:
            del marks[0]
            if not marks:
                return True
        if passed > _BOOT_PY_S or faults.CORRUPTED.encode() in wire.heard:
            wire.write(b"\x03")
    return False


def _why(wire: Wire) -> NoPrompt:
    port, resets = wire.port, wire.resets
    if resets.cause == "board.loader" or resets.looping:
        return NoPrompt(resets.cause or "", f"{port}: {resets.why}")
    return NoPrompt("board.silent", f"{port}: no MicroPython prompt: {_instead(wire)}")


def _instead(wire: Wire) -> str:
    """What is at the other end in place of a prompt, and what to do."""
    if not wire.heard:
        return "nothing comes from it: press its reset button, or 'dynreg flash' MicroPython"
    heard = wire.heard.translate(None, b"\x01\x03")  # of a device that echoes what it gets
    if not heard:
        return "it sends back what it gets: is it a board at all? RX and TX may be joined"
    if len(_NOT_TEXT.findall(heard)) > len(heard) / 4:
        return (
            "what it says is no text: it talks at another baud rate than 115200, or is no "
            "MicroPython: 'dynreg flash'"
        )
    if _MICROPYTHON.search(heard):
        return (
            "its program lets no Ctrl-C through: press its reset button and try again, or "
            "'dynreg flash --erase'"
        )
    words = [line.strip() for line in re.split(rb"[\r\n]+", heard) if line.strip()]
    last = _NOT_TEXT.sub(b"", words[-1] if words else b"")[:40].decode("ascii")
    return f"it says '{last}': another device? else press reset, or 'dynreg flash' MicroPython"
