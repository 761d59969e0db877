"""The way in to one host: TCP and TLS, who is there verified before the first byte.

    library -> door.Door -> link.Link (records) -> TLS -> wire.Wire (deadline, segments) -> socket

Dropped as soon as the link stands, before the libraries that use it are loaded.
"""

import gc
import select
import socket

from . import board, clock, port
from .errors import CertificateError, NetworkError
from .link import Link
from .wire import Wire


def connect(host, port_number, context, ms, limit=0):
    """A Link to host, which is also the name that its certificate must carry.

    context: a function that gives the SSLContext; None for a plain connection. ms: the deadline
    for connect, handshake and all reads until `Link.within`, DNS aside. limit: see Link.
    NetworkError; CertificateError where it is not who it should be.
    """
    until = port.ticks_add(port.ticks_ms(), ms)
    try:
        # IPv4 streams only: what every port can do.
        found = socket.getaddrinfo(
            host, port_number, getattr(socket, "AF_INET", 2), getattr(socket, "SOCK_STREAM", 1)
        )
    except OSError as error:
        raise NetworkError("network.dns", "cannot find %s: %r" % (host, error)) from None
    gc.collect()  # TLS wants its buffers in one piece
    wire = Wire(socket.socket(), until)
    link = Link(wire, host, limit)
    try:
        _tcp(wire, found[0][-1], "%s:%d" % (host, port_number))
        link.over(handshake(wire, host, context) if context else wire)
    except BaseException:
        link.drop()
        raise
    return link


def _tcp(wire, address, where):
    raw = wire.raw
    began = port.ticks_ms()
    try:
        try:
            raw.connect(address)
        except OSError:
            if not wire.was_slow(began):
                raise
            # It goes on meanwhile; a second connect() means something else on each port.
            poll = select.poll()
            poll.register(raw, select.POLLOUT | select.POLLHUP)
            if not port.wait(poll, port.ticks_diff(wire.until, port.ticks_ms())):
                raise NetworkError("network.timeout", "%s does not answer" % where) from None
            if poll.poll(0)[0][1] != select.POLLOUT:
                raise OSError("refused") from None
        board.no_delay(raw)
    except OSError as error:
        raise NetworkError("network.connect", "%s: %r" % (where, error)) from None


def handshake(wire, host, context):
    """The TLS stream over wire."""
    try:
        stream = context().wrap_socket(wire, server_hostname=host)
        wire.flush()
        return stream
    except (OSError, ValueError) as error:
        if wire.fault:
            raise wire.fault from None
        if not board.is_certificate_fault(error):
            raise NetworkError(
                "network.tls", "no secure connection to %s: %r" % (host, error)
            ) from None
        why = "%s is not trusted: %s" % (host, str(error).strip().replace("\n", "; "))
        if clock.unix_time():
            code = "certificate.date" if "validity" in why else "certificate"
            raise CertificateError(code, why) from None
        # A later try may find a time source, and then judge.
        raise NetworkError("network.clock", why + " (but the clock is not set)") from None
