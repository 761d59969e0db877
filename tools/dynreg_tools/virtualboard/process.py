"""One MicroPython process: its terminal, and the channel on which it reports what it does."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .actions import Pending
from .image import UMASK, board_environment
from .serialport import make_raw, read_pty, write_pty

_WAIT_S = 0.5  # how long a Ctrl-C waits for a program that computes
_AGAIN_S = 0.0005
_QUICK_S, _FEW = 0.004, 3
_WHILE_HANDLED = 100  # of so many in quick succession one falls into the handler of another
_EXIT_S = 5  # how long MicroPython may take to end after it has closed its channel


class Process:
    """command runs the unix port on _start.py; config is what that script gets to read."""

    def __init__(self, command: list[str], config: dict[str, Any]) -> None:
        self.terminal, self._slave = os.openpty()
        self.channel, theirs = socket.socketpair()
        make_raw(self._slave)
        os.set_blocking(self.terminal, False)
        # the shell opens the pty as its controlling terminal: when it goes, so does the board
        name = os.ttyname(self._slave)
        shell = ["/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&0', name]
        try:
            self._popen = subprocess.Popen(
                [*shell, *command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=board_environment(),
                umask=UMASK,
            )
        except BaseException:
            self._close_files()
            raise
        finally:
            theirs.close()
        try:
            self.channel.sendall(json.dumps(config, ensure_ascii=False).encode() + b"\n")
        except BaseException:
            self.close()
            raise
        self.channel.setblocking(False)
        self._to_board = bytearray()
        self._interrupted, self._quick = 0.0, 0
        self._text = b""

    @property
    def pid(self) -> int:
        return self._popen.pid

    def watch(self, poller: select.poll) -> None:
        poller.register(self.terminal, select.POLLIN | (select.POLLOUT if self._to_board else 0))
        poller.register(self.channel, select.POLLIN)

    def messages(self) -> tuple[list[bytes], bool]:
        """The complete messages that have come, and whether the channel is closed."""
        closed = False
        while not closed:
            try:
                data = self.channel.recv(4096)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            self._text += data
            closed = not data
        *messages, self._text = self._text.split(b"\n")
        return messages, closed

    def read(self) -> bytes | None:
        """Terminal output; b"" when none yet, None when the terminal is closed."""
        return read_pty(self.terminal)

    def write(self, data: bytes = b"") -> None:
        """Types on the terminal; what does not fit waits for the next call."""
        self._to_board += data
        if self._to_board:
            del self._to_board[: write_pty(self.terminal, self._to_board)]

    def _interruptible(self) -> bool:
        """MicroPython has its interrupt character on: a program runs, no prompt waits."""
        if sys.platform != "linux":
            # at a prompt the unix port clears every local flag, make_raw's NOFLSH too
            return bool(termios.tcgetattr(self._slave)[3] & termios.NOFLSH)
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
        except (OSError, StopIteration):
            return False
        return bool(int(caught.split()[1], 16) & (1 << (signal.SIGINT - 1)))

    def interrupt(self, pending: Pending | None = None) -> None:
        """Ctrl-C: a signal while a program runs, a character at a prompt.

        The signal comes in the midst of a wait: the unix port raises from the signal's handler. In
        a garbage collection that leaves the heap locked, in the search for a module it is lost; an
        ESP32 raises between two instructions of the program. pending: so does a program that
        computes, else it gets the signal after _WAIT_S. Of many in quick succession one is raised
        while the one before is handled.
        """
        self._quick = self._quick + 1 if time.monotonic() - self._interrupted < _QUICK_S else 0
        again = self._quick >= _FEW
        deadline = time.monotonic() + (0 if again and pending else _WAIT_S)
        while not (waits := self._stop_in_a_wait()) and time.monotonic() < deadline:
            time.sleep(_AGAIN_S)
        if not self._interruptible():
            self.write(b"\x03")
        elif pending is None or waits:
            if pending and again:
                self._raise_in_program(pending, 1)
            os.kill(self.pid, signal.SIGINT)
        else:
            self._raise_in_program(pending, _WHILE_HANDLED if again else 1)
        os.kill(self.pid, signal.SIGCONT)
        self._interrupted = time.monotonic()

    def _raise_in_program(self, pending: Pending, times: int) -> None:
        """Before the next instruction, so many times, each as soon as the one before is."""
        place, value, size = pending
        exception, nothing = value.to_bytes(size, sys.byteorder), bytes(size)
        deadline = time.monotonic() + _WAIT_S
        with suppress(OSError), open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            file = memory.fileno()
            for left in range(times, 0, -1):
                os.pwrite(file, exception, place)
                while left > 1 and os.pread(file, size, place) != nothing:
                    if time.monotonic() > deadline:
                        return

    def _stop_in_a_wait(self) -> bool:
        """MicroPython is stopped in a system call that waits, or that cannot be told."""
        waits = self._asked("syscall")
        if not waits[:1].isdigit():
            return waits == ""
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + _WAIT_S
        while self._asked("stat").rpartition(") ")[2][:1] not in "TZ":
            if time.monotonic() > deadline:
                break
        if self._asked("syscall") == waits:
            return True
        os.kill(self.pid, signal.SIGCONT)
        return False

    def _asked(self, what: str) -> str:
        """What /proc says of MicroPython; "" where it says nothing."""
        try:
            return Path(f"/proc/{self.pid}/{what}").read_text("ascii")
        except OSError:
            return ""

    def kill(self) -> None:
        """Ends MicroPython at once; its output can still be read."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()

    def wait(self) -> int:
        """The exit code of a MicroPython that is ending by itself; below 0 for a signal."""
        try:
            return self._popen.wait(timeout=_EXIT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()

    def close(self) -> None:
        """Ends MicroPython if it still runs, and closes terminal and channel."""
        self.kill()
        self._close_files()

    def _close_files(self) -> None:
        os.close(self.terminal)
        os.close(self._slave)
        self.channel.close()
