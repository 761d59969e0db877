"""The user's end of the serial line: a pty that behaves like a UART, not like a pipe."""

import errno
import os
import select
import sys
import termios
import time

_MAX_QUEUE = 1 << 20  # bytes kept for a listener that does not read
_POLL_S = 0.02  # how often a port that nobody has open is looked at


class SerialPort:
    """Output is lost while nobody listens; nothing unread is kept for the next who opens it."""

    def __init__(self) -> None:
        self.fd, slave = os.openpty()
        self.name = os.ttyname(slave)
        make_raw(slave)
        os.set_blocking(self.fd, False)
        # Linux tells by a hang-up whether anyone has the port open; elsewhere it is kept open
        self._slave = -1 if sys.platform == "linux" else slave
        if self._slave < 0:
            os.close(slave)
        self.listener = False
        self._queue = bytearray()
        self._next_check = 0.0

    def close(self) -> None:
        """Hangs up on whoever has the port open."""
        self.listener = False
        for fd in (self.fd, self._slave):
            if fd >= 0:
                os.close(fd)
        self.fd = self._slave = -1

    def watch(self, poller: select.poll) -> float:
        """Registers what there is to wait for; returns the longest wait in seconds."""
        if self.fd < 0:
            return 60
        now = time.monotonic()
        if not self.listener and now >= self._next_check:
            self._next_check = now + _POLL_S
            self._check_listener()
        if not self.listener:
            return self._next_check - now
        poller.register(self.fd, select.POLLIN | (select.POLLOUT if self._queue else 0))
        return 60

    def serve(self, event: int) -> bytes:
        """Handles poll's event; returns what was typed."""
        data = b""
        if event & select.POLLIN:
            data = read_pty(self.fd) or b""
        if event & select.POLLOUT:
            self._flush()
        if event & select.POLLHUP and not event & select.POLLIN:
            self.listener = False
            self._queue.clear()
            self._discard_unread()
        return data

    def discard_input(self) -> None:
        """What was typed and not read yet is gone, as in a UART that is reset."""
        while self.fd >= 0 and read_pty(self.fd):
            pass

    def send(self, data: bytes) -> None:
        if self.fd < 0:
            return
        if not self.listener:
            self._check_listener()
        if self.listener and len(self._queue) < _MAX_QUEUE:
            self._queue += data
            self._flush()

    def _flush(self) -> None:
        del self._queue[: write_pty(self.fd, self._queue)]

    def _check_listener(self) -> None:
        if self._slave >= 0:
            self.listener = True
            return
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        self.listener = not any(event & select.POLLHUP for _, event in poller.poll(0))

    def _discard_unread(self) -> None:
        try:
            fd = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return
        try:
            termios.tcflush(fd, termios.TCIFLUSH)
            make_raw(fd)
        finally:
            os.close(fd)


def read_pty(fd: int) -> bytes | None:
    """What a pty's master has; b"" when nothing yet, None when its other end is closed."""
    try:
        return os.read(fd, 65536) or None
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return None


def write_pty(fd: int, data: bytes | bytearray) -> int:
    """Writes what goes in at once; how much. All of it is lost when the other end is closed."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return len(data)


def make_raw(fd: int) -> None:
    """A terminal that changes no byte and takes none for itself."""
    state = termios.tcgetattr(fd)
    state[0] = state[1] = 0
    state[2] = (state[2] & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    state[3] = termios.NOFLSH
    state[6][termios.VMIN], state[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, state)
