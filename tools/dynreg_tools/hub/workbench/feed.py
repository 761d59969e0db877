"""The last events, numbered, and streams of them (text/event-stream)."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from itertools import islice

from ..events import shown_payload

KEPT = 1000
_COMMENT_S = 15.0  # a proxy or a laptop that slept shows by it that the other end is gone
_GATHER_S = 0.05  # what comes meanwhile goes out in one piece


class Feed:
    """The last KEPT events; a Journal's listener, used in the hub's loop alone."""

    def __init__(self) -> None:
        self._ring: deque[tuple[int, dict, bytes | None]] = deque(maxlen=KEPT)
        self._last = 0
        self._news = asyncio.Event()

    def add(self, entry: dict, payload: bytes | None) -> None:
        """Take an event, with what its message holds."""
        self._last += 1
        self._ring.append((self._last, entry, payload))
        self._news.set()
        self._news = asyncio.Event()

    async def stream(self, after: int | None) -> AsyncIterator[bytes]:
        """The events after this number, then those to come; a comment where none come.

        None stands for the last number. A number of a hub that ran before means nothing here:
        then all that are kept. Who reads more slowly than events come gets gaps in the numbers.
        """
        if after is None:
            after = self._last
        elif after > self._last:
            after = 0
        yield b": events\n\n"
        while True:
            if after == self._last:
                try:
                    async with asyncio.timeout(_COMMENT_S):
                        await self._news.wait()
                except TimeoutError:
                    yield b":\n\n"
                    continue
                await asyncio.sleep(_GATHER_S)
            first = self._ring[0][0]
            found = list(islice(self._ring, max(0, after + 1 - first), None))
            after = self._last
            yield b"".join(_frame(*one) for one in found)


def _frame(number: int, entry: dict, payload: bytes | None) -> bytes:
    shown = entry if payload is None else {**entry, "payload": shown_payload(payload)}
    return f"id: {number}\ndata: {json.dumps(shown)}\n\n".encode()
