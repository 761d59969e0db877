"""The one door to the network, for urequests and umqtt.simple alike.

Both libraries reach the network through their module's global `socket`. For the length of a
call the door stands there in its place, so that the socket which they get is connected to the
one host that was asked for, verified before the first byte, gathers writes until the next read,
keeps its deadline whatever `setblocking` says, and can always be closed. A library that never
came to the door, or wants a second connection (a redirect), gets nothing (fail closed).

    library -> link.Link (gathers records) -> TLS -> wire.Wire (deadline, segments) -> socket
"""

import gc
import socket

from . import clock, port
from .errors import CertificateError, NetworkError, ProtocolError
from .link import Link
from .wire import Wire

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


class Door:
    """One connection to one host, to be taken by one library call.

    host, port_number: where to, and the name that the certificate must carry.
    context: a function that gives the SSLContext; None for a plain connection.
    ms: deadline for connect, handshake and all reads until `Link.within`.
    limit: the most bytes that may be read in all; 0 for no end.
    tail: see Link.
    """

    SOCK_STREAM = getattr(socket, "SOCK_STREAM", 1)
    AF_INET = getattr(socket, "AF_INET", 2)

    def __init__(self, host, port_number, context, ms, limit=16384, tail=b""):
        self.host = host
        self.port = port_number
        self.limit = limit
        self.until = port.ticks_add(port.ticks_ms(), ms)
        self.link = None
        self._context = context
        self._tail = tail

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
        wire = Wire(socket.socket())
        self.link = Link(wire, self.connect, self.host, self.limit, self._tail)
        return self.link

    def connect(self, address):
        """TCP, and the handshake; the stream, TLS's or the wire itself."""
        wire = self.link.wire
        raw = wire.raw
        wire.until = self.until
        try:
            raw.settimeout(max(1, port.ticks_diff(self.until, port.ticks_ms())) / 1000)
            raw.connect(address)
            port.no_delay(raw)
        except OSError as error:
            where = "%s:%d" % (self.host, self.port)
            # By the clock, since the ports disagree on the number that a time-out has.
            if port.ticks_diff(self.until, port.ticks_ms()) <= 10:
                raise NetworkError("network.timeout", "%s does not answer" % where) from None
            raise NetworkError("network.connect", "%s: %r" % (where, error)) from None
        return self.handshake(wire) if self._context else wire

    def handshake(self, wire):
        """The TLS stream over wire; CertificateError where it is not who it should be."""
        try:
            stream = self._context().wrap_socket(wire, server_hostname=self.host)
            wire.flush()
            return stream
        except (OSError, ValueError) as error:
            if wire.fault:
                raise wire.fault from None
            if not port.is_certificate_fault(error):
                raise NetworkError(
                    "network.tls", "no secure connection to %s: %r" % (self.host, error)
                ) from None
            why = "%s is not trusted: %s" % (self.host, str(error).strip().replace("\n", "; "))
            if clock.unix_time():
                code = "certificate.date" if "validity" in why else "certificate"
                raise CertificateError(code, why) from None
            # A later try may find a time source, and then judge.
            raise NetworkError("network.clock", why + " (but the clock is not set)") from None

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
                bool(self.link and self.link.broken),
            ) from None
        finally:
            setattr(library, name, real)
        if not self.link:
            raise ProtocolError("protocol.library", "%s went round TLS" % library.__name__)
        return result

    def close(self):
        """Closes the socket, whatever state it is in; a second time does nothing."""
        if self.link:
            self.link.drop()
