"""Server-side TLS contexts, and the alert that tells a client why its handshake failed.

asyncio drops what OpenSSL wants to say last, so that a device would see a bare end of connection
where the cloud tells it that its certificate is no good. Here the alert travels with the
exception (HandshakeFailed), and handshake.py sends it.

Which connection a PSK identity belongs to is known by order alone: OpenSSL asks for the key
inside do_handshake(), and one thread does all handshakes of a context.
"""

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import trustme

from .psk import may_use_psk, offer_psk

KeyOf = Callable[[str], bytes | None]


def server_context(
    certificate: trustme.LeafCert,
    client_authorities: Iterable[str] = (),
    key_of: KeyOf | None = None,
) -> "ServerContext":
    """A context for TLS 1.2 and later that shows `certificate`.

    With `client_authorities` (PEM) it asks for a client certificate, which need not be given
    (protocol section 4: the same port serves key and certificate devices); one that none of
    these has issued, or out of its dates, fails the handshake.

    With `key_of`, which gives the key that belongs to an identity or None, it takes TLS-PSK as
    well, in TLS 1.2 only; the context's `psk` says whether this Python can.
    """
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate.configure_cert(context)
    if authorities := "\n".join(client_authorities):
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an own CA may have one above it
        context.load_verify_locations(cadata=authorities)
    if key_of is not None:
        context.key_of = key_of
        context.psk = offer_psk(context, context.psk_answer)
    return context


class HandshakeFailed(ssl.SSLError):
    """A handshake failed by `cause`.

    `alert` is the record that tells the client (empty when there is none), `psk_reason` what its
    PSK identity has to do with it (empty when there was none).
    """

    def __init__(self, cause: ssl.SSLError, alert: bytes, psk_reason: str) -> None:
        super().__init__(*cause.args)
        self.cause, self.alert, self.psk_reason = cause, alert, psk_reason


class _Object(ssl.SSLObject):
    made_by: "ServerContext"
    outgoing: ssl.MemoryBIO
    psk_identity: str | None = None  # of a handshake that got its key; not of a resumed session
    _psk_reason = ""
    _defect: Exception | None = None

    def do_handshake(self) -> None:
        self.made_by.handshaking = self
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            failed = HandshakeFailed(exc, self.outgoing.read(), self._psk_reason)
            raise self._defect or failed from None
        finally:
            self.made_by.handshaking = None

    def psk_answer(self, identity: str | None) -> bytes:
        if identity is None or not may_use_psk(self):
            return b""
        try:
            key = self.made_by.key_of(identity)
        except Exception as exc:  # not through OpenSSL: do_handshake() raises it
            self._defect = exc
            return b""
        if not key:
            self._psk_reason = "the PSK identity is of no device that has a key"
            return b""
        self.psk_identity, self._psk_reason = identity, "is the client's PSK the device's?"
        return key


class ServerContext(ssl.SSLContext):
    """What server_context() makes."""

    sslobject_class = _Object
    psk = False
    key_of: KeyOf
    handshaking: _Object | None = None

    def psk_answer(self, identity: str | None) -> bytes:
        """The key for an identity, asked for by OpenSSL; b"" fails the handshake."""
        return b"" if self.handshaking is None else self.handshaking.psk_answer(identity)

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        assert isinstance(made, _Object)
        made.made_by, made.outgoing = self, outgoing
        return made
