"""tls, with a certificate's dates judged by the board's own clock. Device side.

mbedTLS in the unix port asks the host's clock; an ESP32 asks its RTC, which stands at 2000 after
power-on. Each certificate of the chain passes a callback during the handshake, so the refusal
comes where it comes on the board. The host's clock goes on judging as well.
"""

import _board
import _calendar
import esp_socket as _socket

_native = _board.native["tls"]

CERT_NONE = _native.CERT_NONE
CERT_OPTIONAL = _native.CERT_OPTIONAL
CERT_REQUIRED = _native.CERT_REQUIRED
MBEDTLS_VERSION = _native.MBEDTLS_VERSION
PROTOCOL_TLS_CLIENT = _native.PROTOCOL_TLS_CLIENT
PROTOCOL_TLS_SERVER = _native.PROTOCOL_TLS_SERVER
PROTOCOL_DTLS_CLIENT = _native.PROTOCOL_DTLS_CLIENT
PROTOCOL_DTLS_SERVER = _native.PROTOCOL_DTLS_SERVER

_FUTURE = "The certificate validity starts in the future"
_EXPIRED = "The certificate validity has expired"


def _element(der, at):
    """(tag, start of contents, end) of the DER element at an offset."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(bytes(der[at + 2 : start]), "big")
    return tag, start, start + size


def _unix(der, at):
    tag, start, end = _element(der, at)
    text = bytes(der[start:end]).decode()
    if tag == 0x17:  # UTCTime has two digits for the year
        text = ("19" if text[0] >= "5" else "20") + text
    numbers = [int(text[n : n + 2]) for n in range(4, 14, 2)]
    return _calendar.unix(int(text[:4]), *numbers), end


def _validity(der):
    """(notBefore, notAfter) of an X.509 certificate in DER, Unix seconds."""
    at = _element(der, _element(der, 0)[1])[1]
    if der[at] == 0xA0:  # the version, absent in v1 certificates
        at = _element(der, at)[2]
    for _ in range(3):  # serial number, algorithm, issuer
        at = _element(der, at)[2]
    first, at = _unix(der, _element(der, at)[1])
    return first, _unix(der, at)[0]


class SSLContext:
    def __init__(self, protocol):
        object.__setattr__(self, "_context", _native.SSLContext(protocol))
        object.__setattr__(self, "_refusal", None)
        object.__setattr__(self, "_callback", None)
        self._context.verify_callback = self._judge

    def _judge(self, der, depth):
        first, last = _validity(der)
        now = _board.unix_ns() // 1_000_000_000
        if not first <= now <= last:
            object.__setattr__(self, "_refusal", _FUTURE if now < first else _EXPIRED)
            return -1
        return self._callback(der, depth) if self._callback else 0

    def __getattr__(self, name):
        return getattr(self._context, name)

    def get_ciphers(self):
        return self._context.get_ciphers()

    def set_ciphers(self, names):
        self._context.set_ciphers(names)

    def __setattr__(self, name, value):
        if name == "verify_callback":
            object.__setattr__(self, "_callback", value)
        else:
            setattr(self._context, name, value)

    def wrap_socket(self, sock, **options):
        object.__setattr__(self, "_refusal", None)
        if isinstance(sock, _socket.socket):
            sock = _socket._BelowTLS(sock)
        try:
            return self._context.wrap_socket(sock, **options)
        except OSError:
            if self._refusal:
                raise ValueError(self._refusal + "\n") from None
            raise
