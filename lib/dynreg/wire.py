"""What lies below TLS: one socket, with a deadline for every wait and whole segments."""

import io
import select

from micropython import const

from . import port
from .errors import NetworkError

SEGMENT = 1400  # bytes gathered before they go out unasked; fits one Ethernet frame
_POLL = const(3)  # stream ioctl requests (py/stream.h)
_CLOSE = const(4)
_SLICE_MS = const(500)  # what a socket's own call may take before idle() is due
_BROKEN = const(-5)  # what TLS hears, EIO; what really happened is in Wire.fault


class Wire(io.IOBase):
    """A stream object over raw, for SSLContext.wrap_socket() or, on a plain link, for Link.

    until: ticks_ms of the deadline for all that waits.
    """

    def __init__(self, raw, until):
        self.raw = raw
        self.fault = None  # the NetworkError behind whatever TLS then reports
        self.ended = False  # the other end closed in good order, with or without TLS's goodbye
        self.until = until
        self._open = True  # a unix port would close another's descriptor the second time
        self._out = b""
        self._poll = select.poll()
        self._poll.register(raw, select.POLLIN)
        raw.settimeout(_SLICE_MS / 1000)

    def wait(self, ms):
        """True as soon as there is something to read, False after ms milliseconds."""
        return port.wait(self._poll, ms)

    def readinto(self, buffer):
        try:
            self.flush()
            if not self.wait(port.ticks_diff(self.until, port.ticks_ms())):
                self.fault = NetworkError("network.timeout", "no answer in time")
                return _BROKEN
            data = self.raw.recv(len(buffer))
        except OSError as error:
            return self._failed(error)
        if not data:
            self.ended = True
            self.fault = NetworkError("network.closed", "the other end closed the connection")
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        self._out += data
        try:
            if len(self._out) >= SEGMENT:
                self.flush()
        except OSError as error:
            return self._failed(error)
        return len(data)

    def flush(self):
        """Sends what was gathered. OSError, the socket's or that of the deadline."""
        while self._out:
            began = port.ticks_ms()
            try:
                self._out = self._out[self.raw.send(self._out) :]
            except OSError:
                if not self.was_slow(began):
                    raise
            if self._out and self.was_slow(began):
                if port.ticks_diff(self.until, port.ticks_ms()) <= 0:
                    raise OSError("not sent in time")
                port.idle()

    def was_slow(self, began):
        """Whether a socket's call ran out of its time; its errors have a number on each port."""
        return port.ticks_diff(port.ticks_ms(), began) >= _SLICE_MS - 10

    def _failed(self, error):
        self.fault = NetworkError("network.closed", "connection lost: %r" % error)
        return _BROKEN

    def ioctl(self, request, argument):
        if request == _POLL:
            return argument & 1 if self.wait(0) else 0
        if request == _CLOSE:
            self.close()
        return 0

    def setblocking(self, flag):
        """Nothing: the deadline holds, whatever the libraries do."""

    def close(self):
        if self._open:
            self._open = False
            self.raw.close()
