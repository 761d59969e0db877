"""Faults of a TCP connection: a relay between the peer and the hub's own end misbehaves.

Byte counts are of the bytes on the wire: of the TLS records where there is TLS. Whoever goes
through the relay keeps the order of everything, so the hub itself knows nothing of it.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .kinds import LISTEN, SERVICES, Argument, Kind, natural, seconds

RESET, CLOSE, SILENCE = "reset", "close", "silence"
_LINGER = 0.5  # seconds in which a peer may read what was sent before the end
_READ = 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """What a relay does: after so many bytes `sent` to the peer or `received` from it, `end`.

    `size` is the largest piece sent at once, `pause` the seconds after each, `flip` the sent byte
    whose lowest bit is turned, `instead` what is sent for an answer as soon as the peer speaks.
    """

    sent: int | None = None
    received: int | None = None
    end: str = RESET
    size: int = _READ
    pause: float = 0
    flip: int | None = None
    instead: bytes | None = None


class _Ended(Exception):
    """The plan's end has come."""


@asynccontextmanager
async def between(peer: socket.socket, plan: Plan) -> AsyncIterator[socket.socket]:
    """The socket to serve in the place of `peer`, with a relay that follows `plan` between."""
    inner, own = socket.socketpair()
    for sock in (inner, own):
        sock.setblocking(False)
    with suppress(OSError):  # pieces are to stay pieces; or the peer is gone already
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    relay = asyncio.create_task(_Relay(peer, own, plan).run())
    try:
        yield inner
        await relay
    finally:
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay
        inner.close()
        own.close()


class _Relay:
    def __init__(self, peer: socket.socket, own: socket.socket, plan: Plan) -> None:
        self._peer, self._own, self._plan = peer, own, plan
        self._loop = asyncio.get_running_loop()
        self._sent = self._received = 0

    async def run(self) -> None:
        try:
            self._check()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._up())
                tasks.create_task(self._down())
        except* _Ended:
            await self._finish()
        except* OSError:
            pass  # one side is gone, and with it the fault's purpose
        finally:
            self._peer.close()

    def _check(self) -> None:
        plan = self._plan
        if self._sent == plan.sent or self._received == plan.received:
            raise _Ended

    async def _up(self) -> None:
        """From the peer to the hub."""
        while data := await self._loop.sock_recv(self._peer, self._readable(self._plan.received)):
            if self._plan.instead is not None:
                await self._loop.sock_sendall(self._peer, self._plan.instead)
                raise _Ended
            await self._loop.sock_sendall(self._own, data)
            self._received += len(data)
            if self._received == self._plan.received:
                raise _Ended
        self._own.shutdown(socket.SHUT_WR)

    async def _down(self) -> None:
        """From the hub to the peer, in pieces."""
        plan = self._plan
        while data := bytearray(await self._loop.sock_recv(self._own, _READ)):
            if plan.flip is not None and 0 <= plan.flip - self._sent < len(data):
                data[plan.flip - self._sent] ^= 1
            while data:
                size = min(plan.size, len(data), self._readable(plan.sent, self._sent))
                await self._loop.sock_sendall(self._peer, data[:size])
                del data[:size]
                self._sent += size
                if self._sent == plan.sent:
                    raise _Ended
                if plan.pause:
                    await asyncio.sleep(plan.pause)
        self._peer.shutdown(socket.SHUT_WR)

    def _readable(self, limit: int | None, used: int | None = None) -> int:
        used = self._received if used is None else used
        return _READ if limit is None else min(_READ, limit - used)

    async def _finish(self) -> None:
        if self._plan.end == RESET:
            linger = struct.pack("ii", 1, 0)  # on, for 0 s: closing sends RST
            self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        limit = _LINGER if self._plan.end == CLOSE else None
        with suppress(OSError, TimeoutError):
            if self._plan.end == CLOSE:
                self._peer.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(limit):
                while await self._loop.sock_recv(self._peer, _READ):
                    pass


def _plan(field: str, plan: Plan = Plan()) -> Callable[[Any], Plan]:
    """`plan` with the argument in one field."""
    return lambda argument: replace(plan, **{field: argument})


_SENT = Argument("bytes sent to the board before it", 0, natural)
_RECEIVED = Argument("bytes received from the board before it", 1, natural)
_row = partial(Kind, hook="tcp", services=SERVICES)

KINDS = (
    Kind("tcp-refuse", "the port refuses connections", LISTEN, services=SERVICES),
    Kind(
        "tcp-ignore",
        "no answer to a SYN for a while, as behind a firewall",
        LISTEN,
        argument=Argument("seconds until it answers again", 60.0, seconds),
        services=SERVICES,
        expires=True,
    ),
    Kind(
        "tcp-restart",
        "a restart: every connection is reset, the port refuses for a while, then all is well",
        LISTEN,
        argument=Argument("seconds until it listens again", 1.0, seconds),
        services=SERVICES,
        expires=True,
    ),
    _row("tcp-reset", "RST after so many bytes", act=_plan("sent"), argument=_SENT),
    _row(
        "tcp-reset-in",
        "RST after so many bytes from the board",
        act=_plan("received"),
        argument=_RECEIVED,
    ),
    _row(
        "tcp-close", "FIN after so many bytes", act=_plan("sent", Plan(end=CLOSE)), argument=_SENT
    ),
    _row(
        "tcp-silent",
        "accepted, and after so many bytes no answer for ever (a black hole)",
        act=_plan("sent", Plan(end=SILENCE)),
        argument=_SENT,
    ),
    _row(
        "tcp-drip",
        "one byte at a time, slowly",
        act=_plan("pause", Plan(size=1)),
        argument=Argument("seconds after each byte", 1.0, seconds),
    ),
    _row("tcp-pieces", "every byte in a segment of its own", act=lambda _: Plan(size=1)),
    _row(
        "tcp-late",
        "every answer comes late",
        act=_plan("pause"),
        argument=Argument("seconds after each piece", 1.0, seconds),
    ),
    Kind(
        "tcp-nagle",
        "a small answer waits until the one before it is acknowledged (no TCP_NODELAY)",
        "nodelay",
        act=lambda _: False,
        services=SERVICES,
    ),
    Kind(
        "tcp-nodelay",
        "no answer waits for another's acknowledgement (TCP_NODELAY)",
        "nodelay",
        act=lambda _: True,
        services=SERVICES,
    ),
    _row(
        "tcp-flip",
        "one bit is turned on the way",
        act=_plan("flip"),
        argument=Argument("which byte sent to the board, from 0", 0, natural),
    ),
)
