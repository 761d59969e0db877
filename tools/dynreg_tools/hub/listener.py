"""One listening TCP port: accepts, does the TLS handshake, runs one task for a connection.

Both are done here rather than by asyncio.start_server because that one keeps the reason of a
failed handshake to itself. Needs a selector event loop.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from .tls.context import HandshakeFailed

HANDSHAKE_TIMEOUT = 10.0
_FILLERS = 4  # connections that nobody accepts: more than fit into a backlog of one
LINGER = 0.5  # seconds to let a peer read the last bytes before its own bytes cause a reset
_READ = 4096

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ConnectionFaults(Protocol):
    """What may go wrong on purpose below a service."""

    def between(
        self, sock: socket.socket, service: str, *, tls: bool
    ) -> AbstractAsyncContextManager[socket.socket]:
        """The socket to serve in the place of `sock`."""
        ...

    def nagle(self, service: str) -> bool:
        """Whether a small answer waits until the one before it is acknowledged."""
        ...

    def context(self, service: str) -> ssl.SSLContext | None:
        """Another TLS context than the port's own."""
        ...


class Listener:
    """Serves `sock` with `serve` for every connection; over TLS when `context` is set.

    `context` may be replaced at any time and counts for connections from then on. `tls_failed`
    gets the reason of a handshake that failed, `broken` an exception nobody foresaw. `service`
    ("gateway" or "broker") is what `faults` aim at.
    """

    def __init__(
        self,
        sock: socket.socket,
        serve: Serve,
        *,
        context: ssl.SSLContext | None = None,
        tls_failed: Callable[[str], None],
        broken: Callable[[Exception], None],
        service: str = "",
        faults: ConnectionFaults | None = None,
    ) -> None:
        self.context = context
        self.service = service
        self._faults = faults
        self._sock = sock
        self._serve = serve
        self._tls_failed = tls_failed
        self._broken = broken
        self._tasks: dict[asyncio.Task, socket.socket] = {}
        self._listening = False
        self._fillers: list[socket.socket] = []
        self.listen()

    @property
    def port(self) -> int:
        """The port's number."""
        return self._sock.getsockname()[1]

    def listen(self) -> None:
        """Take connections, at first and after refuse() or ignore()."""
        if self._fillers:
            self._rebind()
        if not self._listening:
            self._sock.listen()
            self._sock.setblocking(False)
            asyncio.get_running_loop().add_reader(self._sock, self._accept)
            self._listening = True

    def refuse(self, *, reset: bool = False) -> None:
        """Keep the port, but refuse connections; `reset` also sends RST on those there are."""
        self._rebind()
        if reset:
            for task, sock in self._tasks.items():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                task.cancel()

    def ignore(self) -> None:
        """Keep the port, but answer no SYN: its backlog is full."""
        self._rebind()
        self._sock.listen(1)
        for _ in range(_FILLERS):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(self._sock.getsockname())
            self._fillers.append(one)

    def _rebind(self) -> None:
        """A new socket for the port, which does not listen."""
        address = self._sock.getsockname()
        self._stop()
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind(address)

    def _stop(self) -> None:
        if self._listening:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._listening = False
        while self._fillers:
            self._fillers.pop().close()
        self._sock.close()

    async def close(self) -> None:
        """Stop listening and end every connection at once."""
        self._stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports let go of their sockets

    def _accept(self) -> None:
        try:
            sock, _ = self._sock.accept()
        except OSError:  # the peer is gone already
            return
        sock.setblocking(False)
        # Else a reply's second packet waits 40 ms for an ACK, and a device's clock is 20 ms off.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.create_task(self._connection(sock))
        self._tasks[task] = sock
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.pop(task).close()  # matters to a task that was cancelled before it began
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._broken(error)

    async def _connection(self, sock: socket.socket) -> None:
        if self._faults is None:
            await self._handle(sock)
            return
        tls = self.context is not None
        async with self._faults.between(sock, self.service, tls=tls) as inner:
            await self._handle(inner)

    async def _handle(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(_Paused, sock)
        held_back = self._faults and self._faults.nagle(self.service)
        if held_back and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)  # which asyncio has set
        try:
            with sock.dup() as spare:  # the transport closes its own before an alert is sent
                streams = await self._streams(transport, spare)
            if streams is not None:
                await self._serve(*streams)
                await _linger(*streams)
        finally:
            transport.abort()  # no effect on what closed in order

    async def _streams(
        self, transport: asyncio.Transport, spare: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        context = self.context
        if context and self._faults:
            context = self._faults.context(self.service) or context
        if context is None:
            transport.set_protocol(protocol)
            transport.resume_reading()
        else:
            try:
                secure = await loop.start_tls(
                    transport,
                    protocol,
                    context,
                    server_side=True,
                    ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                    ssl_shutdown_timeout=LINGER,
                )
            except OSError as exc:
                self._tls_failed(_reason(exc))
                if isinstance(exc, HandshakeFailed):
                    await _send_alert(spare, exc.alert)
                return None
            if secure is None:  # closed meanwhile
                return None
            transport = secure
        protocol.connection_made(transport)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class _Paused(asyncio.Protocol):
    """Holds a new connection's first bytes back until it is known who reads them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close so that the peer gets everything: half-close and read on for a moment."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(LINGER):
            if writer.can_write_eof():
                writer.write_eof()
                while await reader.read(_READ):
                    pass
            writer.close()
            await writer.wait_closed()


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
        return f"not complete within {HANDSHAKE_TIMEOUT:g} s"
    return type(exc).__name__
