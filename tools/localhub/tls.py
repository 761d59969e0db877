"""Server-side TLS contexts, and the alert that tells a client why its handshake failed.

asyncio drops what OpenSSL wants to say last, so that a device would see a bare end of connection
where the cloud tells it that its certificate is no good. Here the alert travels with the
exception (`alert_of`), and the listener sends it.
"""

import ssl
from collections.abc import Iterable

import trustme


def server_context(
    certificate: trustme.LeafCert, client_authorities: Iterable[str] = ()
) -> ssl.SSLContext:
    """A context for TLS 1.2 and later that shows `certificate`.

    With `client_authorities` (PEM) it asks for a client certificate, which need not be given
    (protocol section 4: the same port serves key and certificate devices); one that none of
    these has issued, or out of its dates, fails the handshake.
    """
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate.configure_cert(context)
    if authorities := "\n".join(client_authorities):
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # an own CA may have one above it
        context.load_verify_locations(cadata=authorities)
    return context


def alert_of(exc: Exception) -> bytes:
    """The alert of a failed handshake as a record to send; empty when there is none."""
    return getattr(exc, "alert", b"")


class _Object(ssl.SSLObject):
    outgoing: ssl.MemoryBIO

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            exc.alert = self.outgoing.read()
            raise


class _Context(ssl.SSLContext):
    sslobject_class = _Object

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: object, **kwargs: object
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        made.outgoing = outgoing
        return made
