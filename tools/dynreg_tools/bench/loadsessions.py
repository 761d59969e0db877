"""The devices of a load run: MQTT sessions that ask, one after the other, and check each answer.

Every other request asks for the time, the rest are messages to the device's own data topic, each
with a number of its own. What arrives must be the one answer that its session waits for; all else
counts as wrong. Source: protocol sections 4, 6 and 7.
"""

import asyncio
import hmac
import ssl
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from .errors import BenchError

PRODUCT = "LOAD000000"
_LOGINS = 50  # at a time
_TIMEOUT = 60.0  # seconds for a login, and for the last answers
_TIME_REQUEST = b'{"type":"get","resource":["time"]}'
_TIME_ANSWER = b'{"type":"get","time":'


class Session(asyncio.Protocol):
    """One device; all that it may be sent is in `_expected`, in its order."""

    def __init__(self, run: "Run", name: str, key: bytes) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run, self._name, self._key = run, name, key
        self._own = f"{PRODUCT}/{name}"
        self._buffer = b""
        self._expected: deque[bytes] = deque()  # whole packets, or how their bodies begin
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        client_id = PRODUCT + self._name
        username = f"{client_id};12010126;abcde;2147483647"
        digest = hmac.digest(self._key, username.encode(), "sha256").hex()
        fields = (client_id, username, f"{digest};hmacsha256")
        frames = [_packet(0x10, b"\0\4MQTT\4\xc2\0\0" + b"".join(map(_text, fields)))]
        self._expected.append(b"\x20\x02\0\0")
        topics = (f"{self._own}/data", f"$sys/operation/result/{self._own}")
        for number, topic in enumerate(topics, 1):
            frames.append(_packet(0x82, bytes((0, number)) + _text(topic) + b"\0"))
            self._expected.append(bytes((0x90, 3, 0, number, 0)))
        transport.write(b"".join(frames))

    def request(self, number: int) -> None:
        """Send a request, one kind after the other."""
        self._sent = time.perf_counter()
        if number % 2:
            frame = _packet(0x30, _text(f"{self._own}/data") + b"%d" % number)
            self._expected.append(frame)
        else:
            frame = _packet(0x30, _text(f"$sys/operation/{self._own}") + _TIME_REQUEST)
            self._expected.append(_text(f"$sys/operation/result/{self._own}") + _TIME_ANSWER)
        self._transport.write(frame)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (split := _split(self._buffer)) is not None:
            packet, body, self._buffer = split
            self._take(packet, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(
                BenchError(f"the login of {self._name} failed: {exc or 'closed'}")
            )

    def close(self) -> None:
        self._transport.abort()

    def _take(self, packet: bytes, body: bytes) -> None:
        expected = self._expected.popleft() if self._expected else None
        if expected is None or not (packet == expected or body.startswith(expected)):
            self._run.wrong += 1
        elif self.ready.done():
            self._run.answered(self, time.perf_counter() - self._sent)
        elif not self._expected:
            self.ready.set_result(None)


class Run:
    """All sessions; each gets its next request once all others have had theirs."""

    def __init__(self) -> None:
        self.wrong = 0
        self.took: list[float] = []  # seconds of each round trip
        self.pending = 0  # requests without an answer
        self._idle: deque[Session] = deque()
        self._numbers = count()
        self._over = asyncio.Event()

    async def log_in(self, keys: list[bytes], url: str, tls: ssl.SSLContext | None) -> None:
        """Open all sessions, some at a time."""
        loop, free = asyncio.get_running_loop(), asyncio.Semaphore(_LOGINS)
        host, port = urlsplit(url).netloc.split(":")

        async def one(index: int, key: bytes) -> None:
            async with free, asyncio.timeout(_TIMEOUT):
                _, session = await loop.create_connection(
                    lambda: Session(self, f"d{index}", key), host, int(port), ssl=tls
                )
                await session.ready
                self._idle.append(session)

        await asyncio.gather(*(one(*pair) for pair in enumerate(keys)))

    async def round_trips(self, seconds: float, in_flight: int) -> float:
        """Ask for so long, with so many requests at a time; the seconds until the last answer."""
        began = time.perf_counter()
        self._until = began + seconds
        for _ in range(min(in_flight, len(self._idle))):
            self._ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + _TIMEOUT):
                await self._over.wait()
        return time.perf_counter() - began

    def answered(self, session: Session, seconds: float) -> None:
        """Take note of an answer, and ask another session."""
        self.took.append(seconds)
        self._idle.append(session)
        self.pending -= 1
        if time.perf_counter() < self._until:
            self._ask()
        elif not self.pending:
            self._over.set()

    def close(self) -> None:
        """End all sessions."""
        for session in self._idle:
            session.close()

    def _ask(self) -> None:
        self.pending += 1
        self._idle.popleft().request(next(self._numbers))


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(first: int, body: bytes) -> bytes:
    """An MQTT packet of less than 16 KB."""
    length = len(body)
    low = bytes((length,)) if length < 128 else bytes((length & 127 | 128, length >> 7))
    return bytes((first,)) + low + body


def _split(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """(the first packet of less than 16 KB, its body, what follows), None until it is whole."""
    if len(data) < 3 and not (len(data) == 2 and data[1] == 0):
        return None
    start = 2 if data[1] < 128 else 3
    end = start + (data[1] if start == 2 else (data[1] & 127) + (data[2] << 7))
    return (data[:end], data[start:end], data[end:]) if len(data) >= end else None
