"""A server's handshake on an accepted connection; where it fails, both sides are told why."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from .context import HandshakeFailed

TIMEOUT = 10.0  # seconds that a handshake may take
LINGER = 0.5  # seconds to let a peer read the last bytes before its own bytes cause a reset
_READ = 4096


async def handshake(
    transport: asyncio.Transport,
    protocol: asyncio.StreamReaderProtocol,
    context: ssl.SSLContext,
    sock: socket.socket,
    failed: Callable[[str], None],
) -> asyncio.Transport | None:
    """The transport after its handshake; None when that failed, or it was closed meanwhile.

    `sock` is the transport's own, `failed` gets the reason.
    """
    with sock.dup() as spare:  # the transport closes its own before an alert is sent
        try:
            return await asyncio.get_running_loop().start_tls(
                transport,
                protocol,
                context,
                server_side=True,
                ssl_handshake_timeout=TIMEOUT,
                ssl_shutdown_timeout=LINGER,
            )
        except OSError as exc:
            failed(_reason(exc))
            if isinstance(exc, HandshakeFailed):
                await _send_alert(spare, exc.alert)
            return None


async def _send_alert(sock: socket.socket, alert: bytes) -> None:
    """Tell the peer why its handshake failed, and let it read that."""
    loop = asyncio.get_running_loop()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LINGER):
            await loop.sock_sendall(sock, alert)
            sock.shutdown(socket.SHUT_WR)
            while await loop.sock_recv(sock, _READ):
                pass


def _reason(exc: OSError) -> str:
    """Why a handshake failed; a library's reason such as TLSV1_ALERT_UNKNOWN_CA as it is."""
    if isinstance(exc, HandshakeFailed):
        cause = exc.cause
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{cause.reason}: {cause.verify_message}"
        if cause.reason:
            return ": ".join(filter(None, (cause.reason, exc.psk_reason)))
    if isinstance(exc, ssl.SSLError | ConnectionResetError):
        return "the peer closed the connection"
    if isinstance(exc, ConnectionAbortedError):
        return f"not complete within {TIMEOUT:g} s"
    return type(exc).__name__
