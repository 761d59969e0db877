"""The socket that a library gets at the door: a stream that gathers its writes into records."""

import select

from . import port
from .errors import NetworkError, ProtocolError
from .wire import SEGMENT, Wire


class Link:
    """A verified stream with MicroPython's stream methods, over wire; tls.connect() makes it.

    host: for error sentences. limit: the most bytes that it may send in all; 0 for no end.
    tail: bytes that go out behind what is written before the first read, in one flight with it;
    asked: ticks_ms when they did, else None. broken: a read or a write has failed.
    """

    stream: Wire  # or what TLS makes of it

    def __init__(self, wire, host, limit=0):
        self.wire = wire
        self.stream = None  # pyright: ignore
        self.host = host
        self.limit = limit
        self.tail = b""
        self.asked = None
        self.broken = False
        self.read_in_all = 0
        self._poll = None
        self._out = b""

    def over(self, stream):
        """stream, TLS's or the wire itself, is what it reads and writes from now on."""
        self.stream = stream
        if stream is not self.wire and port.MICROPYTHON:
            self._poll = select.poll()
            self._poll.register(stream, select.POLLIN)

    def connect(self, address):
        """Nothing: it is connected."""

    def within(self, ms):
        """Sets the deadline of all that follows to ms milliseconds from now."""
        self.wire.until = port.ticks_add(port.ticks_ms(), ms)

    def ready(self, ms):
        """Whether something can be read within ms milliseconds."""
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
        if len(self._out) >= SEGMENT:
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
                    raise self._fault(None)
            except (OSError, ValueError) as error:
                raise self._fault(error) from None

    def readinto(self, buffer):
        """Fills buffer as far as the stream goes; the count, 0 at the end of the stream."""
        if self.tail:
            self._out += self.tail
            self.tail = b""
            self.asked = port.ticks_ms()
        self._push()
        view = memoryview(buffer)
        done = 0
        try:
            while done < len(view):
                count = self.stream.readinto(view[done:])
                if count is not None and count < 0:  # a plain Wire speaks as TLS hears it
                    raise OSError(-count)
                done += count or 0
                # TLS fills the buffer or is at its end; asking again would wait for TCP's.
                if not count or self.stream is not self.wire:
                    break
        except (OSError, ValueError) as error:
            if not self.wire.ended:
                raise self._fault(error) from None
        self.read_in_all += done
        if self.limit and self.read_in_all > self.limit:
            raise ProtocolError("protocol.size", "%s sent too much" % self.host)
        return done

    def read(self, size=-1):
        """Exactly size bytes, or with no size all up to the end of the stream."""
        if size < 0:
            parts = b""
            while True:
                part = bytearray(256)
                count = self.readinto(part)
                parts += part[:count]
                if count < 256:
                    return parts
        buffer = bytearray(size)
        if self.readinto(buffer) < size:
            self.broken = True
            raise self.wire.fault or NetworkError("network.closed", "the other end said goodbye")
        return bytes(buffer)

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

    def close(self):
        """Sends what was gathered, then closes; never raises."""
        try:
            self.flush()
        except NetworkError:
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
