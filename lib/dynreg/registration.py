"""Dynamic registration: a verified link to the gateway, then one signed POST; a second at most.

Each of the two has a room of its own, loaded for it and dropped before the next.
"""

from micropython import const

from . import clock, log, port
from .errors import RegistrationError

_DEADLINE_MS = const(30000)  # the whole exchange, DNS aside
_LIMIT = const(16384)  # bytes of the reply


def register(info, day=0):
    """The credential that the cloud gives this device (docs/protocol.md, 2, 3).

    The device secret, base64 text; in certificate mode (certificate, key) as PEM, the device's
    own pair where it brought one. Each call makes any credential given before worthless.
    RegistrationError: the cloud's refusal; ProtocolError: a reply that is none; NetworkError,
    CertificateError, ConfigError: as tls.connect() says. day: see trust.judged().
    """
    link = _link(info, day, _DEADLINE_MS)
    until = link.wire.until
    timestamp = clock.unix_time()  # only now: the link may have needed a first clock
    try:
        return _post(info, link, timestamp)
    except RegistrationError as error:
        if not timestamp or "signature" not in (error.cloud_code + error.cloud_message).lower():
            raise
    log.warning("register: signature refused, once more without the time")
    return _post(info, _link(info, day, port.ticks_diff(until, port.ticks_ms())), 0)


def _link(*arguments):
    link = _open(*arguments)
    port.forget("tls", "trust", "board")
    return link


def _open(info, day, ms):
    from . import tls, trust

    gateway = info.gateway
    if not gateway.secure:
        return tls.connect(gateway.host, gateway.port, None, ms, _LIMIT)
    context = trust.Trust(gateway.ca, trust.GATEWAY).context
    return trust.judged(
        info, day, lambda: tls.connect(gateway.host, gateway.port, context, ms, _LIMIT)
    )


def _post(info, link, timestamp):
    try:
        from . import gateway

        return gateway.post(info, link, timestamp)
    finally:
        gateway = None
        link.drop()
        port.forget("gateway", "door", "signing", "trust", "board")
