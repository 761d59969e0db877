"""The one door to the network, for urequests and umqtt.simple alike.

Both libraries reach the network through their module's global `socket`. For the length of a
call the door stands there in its place, so that the socket which they get is connected to the
one host that was asked for, verified before the first byte, gathers writes until the next read,
keeps its deadline whatever `setblocking` says, and can always be closed. A library that never
came to the door, or wants a second connection (a redirect), gets nothing (fail closed).

    library -> Link (gathers records) -> TLS -> wire.Wire (deadline, segments) -> socket
"""

import gc
import select
import socket

from . import clock, port
from .errors import CertificateError, NetworkError, ProtocolError
from .wire import SEGMENT, Wire

# What urequests and umqtt.simple raise, in one release or another, on an answer they do not like.
_LIBRARY_FAULTS = (
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    ImportError,
)


class Link:
    """The socket that a library gets: a verified stream with MicroPython's stream methods."""

    def __init__(self, door):
        self._door = door
        self._wire = None
        self.stream = None
        self._poll = None
        self._out = b""
        self.read_in_all = 0

    def connect(self, address):
        """Connects and, but for plain schemes, does the verified handshake."""
        door = self._door
        raw = door.raw
        self._wire = wire = Wire(raw)
        wire.until = door.until
        try:
            raw.settimeout(max(1, port.ticks_diff(door.until, port.ticks_ms())) / 1000)
            raw.connect(address)
            port.no_delay(raw)
        except OSError as error:
            where = "%s:%d" % (door.host, door.port)
            # By the clock, since the ports disagree on the number that a time-out has.
            if port.ticks_diff(door.until, port.ticks_ms()) <= 10:
                raise NetworkError("network.timeout", "%s does not answer" % where) from None
            raise NetworkError("network.connect", "%s: %r" % (where, error)) from None
        self.stream = door.handshake(wire) if door.secure else wire
        if self.stream is not wire and port.MICROPYTHON:
            self._poll = select.poll()
            self._poll.register(self.stream, select.POLLIN)

    def within(self, ms):
        """Sets the deadline of all that follows to ms milliseconds from now."""
        self._wire.until = port.ticks_add(port.ticks_ms(), ms)

    def ready(self, ms):
        """Whether something can be read within ms milliseconds."""
        self.flush()
        if self._poll and self._poll.poll(0):  # decrypted already, nothing left on the wire
            return True
        if hasattr(self.stream, "pending") and self.stream.pending():
            return True
        return self._wire.wait(ms)

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
            self._wire.flush()
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
                if not count or self.stream is not self._wire:
                    break
        except (OSError, ValueError) as error:
            if not self._wire.ended:
                raise self._fault(error) from None
        self.read_in_all += done
        if self._door.limit and self.read_in_all > self._door.limit:
            raise ProtocolError("protocol.size", "%s sent too much" % self._door.host)
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
            raise self._fault(None)
        return bytes(buffer)

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line

    def _fault(self, error):
        if self._wire.fault:
            return self._wire.fault
        if not self._door.secure:
            return NetworkError("network.closed", "connection lost: %r" % error)
        return NetworkError("network.tls", "the secure connection broke: %r" % error)

    def settimeout(self, seconds):
        """Nothing: the deadline is the door's."""

    def setblocking(self, flag):
        """Nothing: on an ESP32 it would take the time-out away for good."""

    def close(self):
        """Sends what was gathered, then closes; never raises."""
        try:
            self.flush()
        except NetworkError:
            pass
        self._door.close()


class Door:
    """One connection to one host, to be taken by one library call.

    host, port_number: where to, and the name that the certificate must carry.
    trust: a trust.Trust; None for a plain connection.
    ms: deadline for connect, handshake and all reads until `Link.within`.
    limit: the most bytes that may be read in all; 0 for no end.
    identity: (certificate, key), PEM, for mutual TLS.
    """

    SOCK_STREAM = getattr(socket, "SOCK_STREAM", 1)
    AF_INET = getattr(socket, "AF_INET", 2)

    def __init__(self, host, port_number, trust, ms, limit=16384, identity=None):
        self.host = host
        self.port = port_number
        self.secure = trust is not None
        self.limit = limit
        self.until = port.ticks_add(port.ticks_ms(), ms)
        self.raw = None
        self.link = None
        self._trust = trust
        self._identity = identity

    def getaddrinfo(self, host, port_number, *hints):
        if (host, port_number) != (self.host, self.port):
            raise ProtocolError("protocol.redirect", "%s sends us to another host" % self.host)
        try:
            # IPv4 streams only: what every port can do.
            return socket.getaddrinfo(host, port_number, self.AF_INET, self.SOCK_STREAM)
        except OSError as error:
            raise NetworkError("network.dns", "cannot find %s: %r" % (host, error)) from None

    def socket(self, *hints):
        if self.link:
            raise ProtocolError("protocol.redirect", "%s sends us elsewhere" % self.host)
        gc.collect()  # TLS wants its buffers in one piece
        self.raw = socket.socket()
        self.link = Link(self)
        return self.link

    def handshake(self, wire):
        """The TLS stream over wire; CertificateError where it is not who it should be."""
        try:
            context = self._trust.context(self._identity)
            stream = context.wrap_socket(wire, server_hostname=self.host)
            wire.flush()
            return stream
        except (OSError, ValueError) as error:
            if wire.fault:
                raise wire.fault from None
            if port.is_certificate_fault(error):
                why = str(error).strip().replace("\n", "; ")
                if not clock.unix_time():
                    why += " (the clock is not set, so no certificate can be judged)"
                raise CertificateError(
                    "certificate", "%s is not trusted: %s" % (self.host, why)
                ) from None
            raise NetworkError(
                "network.tls", "no secure connection to %s: %r" % (self.host, error)
            ) from None

    def through(self, library, call):
        """call()'s result, with library (a module) led through this door meanwhile.

        A DynregError comes out as it is; ProtocolError for whatever else the library makes of
        the answer, and where it got one without coming to the door.
        """
        name = "socket" if hasattr(library, "socket") else "usocket"
        if not hasattr(library, name):
            raise ProtocolError(
                "protocol.library", "%s cannot be led through TLS here" % library.__name__
            )
        real = getattr(library, name)
        setattr(library, name, self)
        try:
            result = call()
        except OSError as error:
            raise NetworkError("network.closed", "%s: %r" % (self.host, error)) from None
        except _LIBRARY_FAULTS as error:
            raise ProtocolError(
                "protocol.reply",
                "%s answers what %s cannot read: %r" % (self.host, library.__name__, error),
            ) from None
        finally:
            setattr(library, name, real)
        if not self.link:
            raise ProtocolError("protocol.library", "%s went round TLS" % library.__name__)
        return result

    def close(self):
        """Closes the socket, whatever state it is in; a second time does nothing."""
        raw, self.raw = self.raw, None
        if raw:
            # TLS first: that frees its buffers now, not when the collector comes by.
            for stream in (self.link.stream, raw):
                try:
                    if stream:
                        stream.close()
                except OSError:
                    pass
