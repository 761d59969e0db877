"""TLS with the broker: by the device's own key, else by a verified certificate, never below it."""

from binascii import a2b_base64

from . import board, log, port, tls
from .errors import CertificateError, DynregError

_MS = 10000  # for connect, handshake and CONNACK together


def broker(info, history):
    """(link, tls, whether TLS-PSK was turned down) to info.mqtt, before any MQTT.

    The last is 1 or 0, or what history has where PSK was not offered.
    CertificateError "certificate.psk" where the endpoint allows nothing but the device's own key
    and the broker turns that down.
    """
    endpoint = info.mqtt
    if not endpoint.secure:
        log.warning("connect: the connection is not encrypted, as device_info.json asks")
        return _link(endpoint, None), "plain", history["psk"]
    only = endpoint.scheme == "mqtts+psk"
    psk = None
    turned_down = history["psk"]
    # A broker that has turned PSK down is asked again once in 16 times.
    if info.mode == "KEY" and (only or not history["psk"] or port.random_bytes(1)[0] < 16):
        psk = board.psk_context(info.client_id.encode(), a2b_base64(info.credential))
    if psk:
        try:
            return _link(endpoint, lambda: psk), "psk", 0
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
    return _verified(info, history), "verified-ca", turned_down


def _verified(info, history):
    from . import trust

    endpoint = info.mqtt
    roots = trust.Trust(endpoint.ca, trust.MQTT)
    pair = info.credential if info.mode == "CERT" else None
    return trust.judged(info, history["day"], lambda: _link(endpoint, lambda: roots.context(pair)))


def _link(endpoint, context):
    return tls.connect(endpoint.host, endpoint.port, context, _MS)
