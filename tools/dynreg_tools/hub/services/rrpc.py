"""Calls to devices that want an answer. Source: protocol section 7 (RRPC)."""

import asyncio
import time
from dataclasses import dataclass
from itertools import count

from .. import rules
from ..store import Device
from .service import Publish, Request, own

USUAL_S, MOST_S = 5.0, 10.0  # how long a caller waits


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: `answer` is None where none came in time; `receivers` 0: nobody heard.

    `seconds` is how long it took.
    """

    process_id: str
    receivers: int
    answer: bytes | None
    seconds: float


class Calls:
    """The calls that wait for their answer, by device and process id."""

    kinds = ("$rrpc/txd",)

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._numbers = count(1)
        self._waiting: dict[tuple[str, str], asyncio.Future[bytes]] = {}

    async def call(self, device: Device, payload: bytes, timeout: float = USUAL_S) -> Called:
        """Call a device and wait for its answer, `timeout` s at most; HubError: too large."""
        rules.check_payload(payload)
        process_id = str(next(self._numbers))
        key = own(device), process_id
        waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        began = time.monotonic()
        answer, receivers = None, 0
        try:
            receivers = self._publish(f"$rrpc/rxd/{own(device)}/{process_id}", payload)
            if receivers:
                answer = await asyncio.wait_for(waiting, timeout)
        except TimeoutError:
            pass
        finally:
            del self._waiting[key]
        return Called(process_id, receivers, answer, time.monotonic() - began)

    def asked(self, request: Request) -> None:
        """An answer: the first one counts, and one that nobody waits for goes nowhere."""
        waiting = self._waiting.get((request.own, request.tail))
        if waiting and not waiting.done():
            waiting.set_result(request.payload)
