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

from .descriptors import Descriptors
from .tls.handshake import LINGER, handshake

_FILLERS = 4  # connections that nobody accepts: more than fit into a backlog of one
_PAUSE = 0.5  # seconds without accept() when the system has no descriptor for a connection
_READ = 4096

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ConnectionFaults(Protocol):
    """What may go wrong on purpose below a service."""

    def between(
        self, sock: socket.socket, service: str, *, tls: bool
    ) -> AbstractAsyncContextManager[socket.socket]:
        """The socket to serve in the place of `sock`."""
        ...

    def nodelay(self, service: str) -> bool | None:
        """TCP_NODELAY in the place of the port's own; None where that counts."""
        ...

    def context(self, service: str) -> ssl.SSLContext | None:
        """Another TLS context than the port's own."""
        ...


class Listener:
    """Serves `sock` with `serve` for every connection; over TLS when `context` is set.

    `context` may be replaced at any time and counts for connections from then on. `tls_failed`
    gets the reason of a handshake that failed, `broken` an exception nobody foresaw. `service`
    ("gateway" or "broker") is what `faults` aim at. `nodelay` sets TCP_NODELAY; without it a
    small answer waits until the one before it is acknowledged (Nagle's algorithm). Connections
    that `descriptors` has no room for are closed at once.
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
        nodelay: bool = False,
        descriptors: Descriptors | None = None,
    ) -> None:
        self.context = context
        self.service = service
        self._faults = faults
        self._nodelay = nodelay
        self._descriptors = descriptors
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
            one = socket.socket(self._sock.family)
            one.setblocking(False)
            one.connect_ex(self._sock.getsockname())
            self._fillers.append(one)

    def _rebind(self) -> None:
        """A new socket for the port, which does not listen."""
        address, family = self._sock.getsockname(), self._sock.family
        self._stop()
        self._sock = socket.socket(family)
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
        except OSError as exc:  # the peer is gone already, or there is no descriptor
            if self._descriptors and self._descriptors.exhausted(exc):
                asyncio.get_running_loop().remove_reader(self._sock)
                asyncio.get_running_loop().call_later(_PAUSE, self._go_on)
            return
        if self._descriptors and not self._descriptors.room(sock):
            sock.close()
            return
        sock.setblocking(False)
        task = asyncio.create_task(self._connection(sock))
        self._tasks[task] = sock
        task.add_done_callback(self._done)

    def _go_on(self) -> None:
        """Accept again after a pause, unless the port has stopped meanwhile."""
        if self._listening:
            asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.pop(task).close()  # matters to a task that was cancelled before it began
        error = None if task.cancelled() else task.exception()
        if isinstance(error, OSError) and self._descriptors and self._descriptors.exhausted(error):
            return
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
        self._set_nodelay(sock)  # asyncio has set it
        try:
            streams = await self._streams(transport, sock)
            if streams is not None:
                await self._serve(*streams)
                _nodelay(sock, wanted=True)  # or close_notify waits for an acknowledgement
                await _linger(*streams)
        finally:
            transport.abort()  # no effect on what closed in order

    def _set_nodelay(self, sock: socket.socket) -> None:
        changed = self._faults.nodelay(self.service) if self._faults else None
        wanted = self._nodelay if changed is None else changed
        _nodelay(sock, wanted=wanted)

    async def _streams(
        self, transport: asyncio.Transport, sock: socket.socket
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
            secure = await handshake(transport, protocol, context, sock, self._tls_failed)
            if secure is None:
                return None
            transport = secure
        protocol.connection_made(transport)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _nodelay(sock: socket.socket, *, wanted: bool) -> None:
    if sock.family != socket.AF_UNIX:
        with suppress(OSError):  # the peer is gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, wanted)


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
