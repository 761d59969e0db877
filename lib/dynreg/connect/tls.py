"""The links to gateway and broker: TCP and TLS, who is there verified before the first byte.

    library -> adapter.SocketAdapter -> link.Link (records) -> TLS -> link.Wire -> socket

Dropped as soon as the link stands, before the libraries that use it are loaded.
"""

import gc

import uselect as select
import usocket as socket
from micropython import const
from ubinascii import a2b_base64

from .. import log, port
from ..errors import CertificateError, DynregError, NetworkError

_BROKER_MS = const(10000)  # for connect, handshake and CONNACK together
# Built-in roots (docs/protocol.md, 5): the broker has a private one, the gateway a public chain.
BROKER = ("iothub",)
GATEWAY = ("digicert_g2", "digicert", "globalsign_r3", "globalsign")
_REPLY = const(16384)  # bytes of a registration reply


def gateway(info, day, ms):
    """The link to info.gateway, for one request and its reply within ms milliseconds.

    day: the last one known to have been, in days since 1970.
    NetworkError, ConfigError; CertificateError where it is not who it should be.
    """
    endpoint = info.gateway
    if not endpoint.secure:
        log.warning("register: the connection is not encrypted, as device_info.json asks")
        return _connect(endpoint, None, ms, _REPLY)
    context = port.step("connect.trust", "context", endpoint.ca, GATEWAY)
    return _judged(info, day, context, endpoint, ms, _REPLY)


def broker(info, history, refused):
    """(link, tls, whether TLS-PSK was turned down) to info.mqtt, before any MQTT.

    By the device's own key, else by a verified certificate, never below it. refused: true where a
    login over TLS-PSK was refused just now, which is then not tried. tls: "psk",
    "verified-ca" or "plain". The last is 1 or 0, or what history has where PSK was not offered.
    CertificateError "certificate.psk" where the endpoint allows nothing but the device's own key
    and the broker turns that down; else as gateway().
    """
    endpoint = info.mqtt
    turned_down = 1 if refused else history["psk"]
    if not endpoint.secure:
        log.warning("connect: the connection is not encrypted, as device_info.json asks")
        return _connect(endpoint, None, _BROKER_MS), "plain", turned_down
    only = "+" in endpoint.scheme  # mqtts+psk
    psk = None
    # A broker that has turned PSK down is asked again once in 16 times.
    if (
        info.mode == "KEY"
        and not refused
        and (only or not turned_down or port.random_bytes(1)[0] < 16)
    ):
        psk = psk_context(info.client_id.encode(), a2b_base64(info.credential))
    if psk:
        try:
            return _connect(endpoint, psk, _BROKER_MS), "psk", 0
        except DynregError as error:
            if error.code in ("network.dns", "network.connect", "network.timeout"):
                raise
            log.warning("connect: %s" % error)
            turned_down = 1
        psk = None  # 3 KB, which the certificate wants now
    if only:
        raise CertificateError(
            "certificate.psk", "%s: no TLS with this device's own key" % endpoint
        )
    pair = info.credential if info.mode == "CERT" else None
    context = port.step("connect.trust", "context", endpoint.ca, BROKER, pair)
    return _judged(info, history["day"], context, endpoint, _BROKER_MS), "verified-ca", turned_down


def first_clock(info, day):
    """Whether some source told a first time; for a gateway whose link needed none."""
    return port.step("connect.first_clock", "find", connect, info, day, 0)


def _judged(info, day, context, endpoint, *limits):
    """_connect(), with a clock to judge certificates by.

    The first clock is found where none is set, and looked for again where a certificate's dates
    do not fit: NTP proves nothing, and may have told a wrong time.
    """
    if not port.unix_time():
        first_clock(info, day)
    try:
        return _connect(endpoint, context, *limits)
    except CertificateError as error:
        if error.code != "certificate.date" or not port.step(
            "connect.first_clock", "find", connect, info, day, port.unix_time()
        ):
            raise
    return _connect(endpoint, context, *limits)


def psk_context(name, key):
    """A client's context for TLS-PSK (name and key: bytes), or None where the runtime has none."""
    try:
        import tls

        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.psk_identity = name  # pyright: ignore
        context.psk_key = key  # pyright: ignore
        return context
    except (ImportError, AttributeError):
        return None


def _connect(endpoint, *more):
    return connect(endpoint.host, endpoint.port, *more)


def connect(host, port_number, context, ms, size=0):
    """A Link to host, which is also the name that its certificate must carry.

    context: an SSLContext; None for a plain connection. ms: the deadline
    for connect, handshake and all reads until `Link.within`, DNS aside. size: see Link.
    NetworkError; CertificateError where it is not who it should be.
    """
    until = port.ticks_add(port.ticks_ms(), ms)
    try:
        # IPv4 streams only: what every port can do.
        found = socket.getaddrinfo(
            host, port_number, getattr(socket, "AF_INET", 2), getattr(socket, "SOCK_STREAM", 1)
        )
    except OSError as error:
        raise NetworkError(
            "network.dns",
            "cannot find %s: %r: is the name right, and does the network have a name server?"
            % (host, error),
        ) from None
    from .link import Link, Wire

    gc.collect()  # TLS wants its buffers in one piece
    wire = Wire(socket.socket(), until)
    link = Link(wire, host, size)
    try:
        _tcp(wire, found[0][-1], "%s:%d" % (host, port_number))
        link.over(handshake(wire, host, context) if context else wire)
    except BaseException:
        link.drop()
        raise
    return link


def _tcp(wire, address, name):
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
                raise NetworkError("network.timeout", "%s does not answer" % name) from None
            if poll.poll(0)[0][1] != select.POLLOUT:
                raise OSError("connection refused") from None
    except OSError as error:
        # Each port has a number of its own for "refused".
        raise NetworkError(
            "network.connect",
            "%s: %r: does a server listen there, are host and port right?" % (name, error),
        ) from None
    try:  # Nagle off: a flight must not wait for the last one's ACK
        raw.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY; unix ports lack the names
    except (OSError, AttributeError, TypeError):
        pass


def handshake(wire, host, context):
    """The TLS stream over wire."""
    try:
        stream = context.wrap_socket(wire, server_hostname=host)
        wire.flush()
        return stream
    except (OSError, ValueError) as error:
        raise wire.fault or port.step("connect.trust", "untrusted", host, error) from None
