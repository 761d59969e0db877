"""A connection, above and below TLS: records gathered, one deadline for every wait.

Link is the socket that a library gets from the adapter; Wire is what TLS itself writes to.
"""

import uio as io
import uselect as select
from micropython import const

from .. import port
from ..errors import ConfigError, NetworkError, ProtocolError

_PACKET_MS = const(10000)  # for each packet of a session
_SEGMENT = const(1400)  # bytes gathered before they go out unasked; fits one Ethernet frame
_POLL = const(3)  # stream ioctl requests (py/stream.h)
_CLOSE = const(4)
_SLICE_MS = const(500)  # what a socket's own call may take before idle() is due
_BROKEN = const(-5)  # what TLS hears, EIO; what really happened is in Wire.fault
_PIECE = const(256)  # bytes of one recv(): TLS may ask for 16 KB, and gets them in its own time


# Any stream's read(), and nothing's but a stream's: through a class of Python's own it asks for no
# type. It makes no copy, so that a message must fit into the heap once, not twice.
_read = type("", (io.BytesIO,), {}).read  # pyright: ignore


class Wire(io.IOBase):
    """A stream object over raw, for SSLContext.wrap_socket() or, on a plain link, for Link.

    until: ticks_ms of the deadline for all that waits.
    """

    def __init__(self, raw, until):
        self.raw = raw
        self.fault = None  # the NetworkError behind whatever TLS then reports
        self.ended = False  # the other end closed in good order, with or without close_notify
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
            data = self.raw.recv(min(len(buffer), _PIECE))
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
            if len(self._out) >= _SEGMENT:
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

    def was_slow(self, ticks):
        """Whether a socket's call ran out of its time; its errors have a number on each port."""
        return port.ticks_diff(port.ticks_ms(), ticks) >= _SLICE_MS - 10

    def _failed(self, error):
        self.fault = NetworkError("network.closed", "connection lost: %r" % error)
        return _BROKEN

    def ioctl(self, request, value):
        if request == _POLL:
            return value & 1 if self.wait(0) else 0
        if request == _CLOSE:
            self.close()
        return 0

    def setblocking(self, value):
        """Nothing: the deadline holds, whatever the libraries do."""

    def close(self):
        if self._open:
            self._open = False
            self.raw.close()


class Link:
    """A verified stream with MicroPython's stream methods, over wire; tls.connect() makes it.

    host: for error sentences. size: the most bytes that it may send in all; 0 for no end.
    tail: bytes that go out behind what is written before the first read, in one flight with it;
    asked: ticks_ms when they did, else None. broken: a read or a write has failed; None in the
    middle of a packet. `with link:` is around each packet of a session, which is whole, or the
    link is broken.
    """

    stream: Wire  # or what TLS makes of it

    def __init__(self, wire, host, size=0):
        self.wire = wire
        self.stream = None  # pyright: ignore
        self.host = host
        self.size = size
        self.tail = b""
        self.asked = None
        self.broken = False
        self.count = 0
        self._poll = None
        self._out = b""

    def __enter__(self):
        if self.broken is None:
            raise ConfigError("busy", "called in the middle of a packet")
        self.broken = None
        self.within(_PACKET_MS)
        return self

    def __exit__(self, kind, *_):
        # What followed half a packet would be taken for its rest.
        self.broken = kind is not None

    def over(self, stream):
        """stream, TLS's or the wire itself, is what it reads and writes from now on."""
        self.stream = stream
        if stream is not self.wire and not hasattr(stream, "pending"):
            self._poll = select.poll()
            self._poll.register(stream, select.POLLIN)

    def connect(self, address):
        """Nothing: it is connected."""

    def within(self, ms):
        """Sets the deadline of all that follows to ms milliseconds from now."""
        self.wire.until = port.ticks_add(port.ticks_ms(), ms)

    def ready(self, ms):
        """Whether something can be read within ms milliseconds."""
        if self.broken is None:  # then reading says why it may not
            return True
        self.flush()
        if self._poll and self._poll.poll(0):  # decrypted already, nothing left on the wire
            return True
        if hasattr(self.stream, "pending") and self.stream.pending():
            return True
        return self.wire.wait(ms)

    def write(self, data, size=None):
        if isinstance(data, str):
            data = data.encode()
        if size is not None:
            data = data[:size]
        self._out += data
        if len(self._out) >= _SEGMENT:
            self._push()
        return len(data)

    def flush(self):
        """Sends what was gathered; NetworkError where the line is down."""
        self._push()
        try:
            self.wire.flush()
        except OSError as error:
            raise self._fault(error) from None

    def _push(self):
        out, self._out = self._out, b""
        if out:
            try:
                if (self.stream.write(out) or 0) < 0:
                    raise OSError
            except (OSError, ValueError) as error:
                raise self._fault(error) from None

    def _some(self, size):
        """Size bytes, fewer only at the end of the stream."""
        if self.tail:
            self._out += self.tail
            self.tail = b""
            self.asked = port.ticks_ms()
        self._push()
        data = b""
        try:
            data = _read(self.stream, size) or data
        except (OSError, ValueError) as error:
            if not self.wire.ended:
                raise self._fault(error) from None
        self.count += len(data)
        if self.size and self.count > self.size:
            raise ProtocolError("protocol.size", "%s sent too much" % self.host)
        return data

    def readinto(self, buffer):
        """Fills buffer as far as the stream goes; the count, 0 at the end of the stream."""
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size=-1):
        """Exactly size bytes, or with no size all up to the end of the stream."""
        if size < 0:
            parts = b""
            while True:
                part = self._some(256)
                parts += part
                if len(part) < 256:
                    return parts
        data = self._some(size)
        if len(data) < size:
            self.broken = True
            if not self.count:
                raise NetworkError(
                    "network.closed",
                    "%s closes without an answer: is it the right port, for that scheme?"
                    % self.host,
                )
            raise self.wire.fault or NetworkError("network.closed", "the other end said goodbye")
        return data

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line

    def _fault(self, error):
        self.broken = True
        if self.wire.fault:
            return self.wire.fault
        if self.stream is self.wire:
            return NetworkError("network.closed", "connection lost: %r" % error)
        return NetworkError("network.tls", "the secure connection broke: %r" % error)

    # Nothing: the deadline holds; on an ESP32 setblocking would end it for good.
    settimeout = setblocking = connect

    def close(self, ms=0):
        """Sends what was gathered, then closes; never raises.

        ms: how long to wait before for the other end to close, which shows that it has all.
        """
        try:
            if not self.broken:  # the rest of half a packet is nothing either
                self.flush()
            if ms:
                self.within(ms)
                while self._some(256):
                    pass
        except Exception:  # whatever it is, this is the end
            pass
        self.drop()

    def drop(self):
        """Closes without a word, whatever state it is in; a second time does nothing."""
        # TLS first: that frees its buffers now, not when the collector comes by.
        for stream in (self.stream, self.wire):
            try:
                if stream:
                    stream.close()
            except OSError:
                pass
        # TLS's buffers are free now, whoever still holds the link.
        self.stream, self._poll = self.wire, None
