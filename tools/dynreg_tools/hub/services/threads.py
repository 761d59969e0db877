"""What the cloud's API offers of the services, by the devices' names, for any thread."""

from collections.abc import Callable, Coroutine
from typing import Any

from ..store import Device
from .all import Services
from .rrpc import USUAL_S

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


class ThreadServices:
    """`run` runs a coroutine function in the hub's loop, `device` finds a device there."""

    def __init__(self, run: Run, device: Callable[[str], Device], services: Services) -> None:
        self._run = run
        self._device = device
        self._services = services

    def call(self, name: str, payload: bytes | str, timeout: float = USUAL_S) -> bytes | None:
        """Call a device (RRPC) and give its answer; None where none comes within `timeout` s."""

        async def call() -> bytes | None:
            called = await self._services.calls.call(self._device(name), _bytes(payload), timeout)
            return called.answer

        return self._run(call)


def _bytes(payload: bytes | str) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload
