"""What the cloud's API offers of the services, by the devices' names, for any thread."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..management import Management
from .all import Services
from .rrpc import USUAL_S
from .shadow import Document
from .thing import Done, Thing

T = TypeVar("T")
Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


class ThreadServices:
    """`run` runs a coroutine function in the hub's loop."""

    def __init__(self, run: Run, management: Management, services: Services) -> None:
        self._run = run
        self._management = management
        self._device = management.device
        self._services = services

    def call(self, name: str, payload: bytes | str, timeout: float = USUAL_S) -> bytes | None:
        """Call a device (RRPC) and give its answer; None where none comes within `timeout` s."""

        async def call() -> bytes | None:
            called = await self._services.calls.call(self._device(name), _bytes(payload), timeout)
            return called.answer

        return self._run(call)

    def broadcast(self, payload: bytes | str) -> int:
        """Send a message to all devices of the product; to how many."""
        product_id = self._management.product.id
        return self._do(lambda: self._services.broadcasts.send(product_id, _bytes(payload)))

    def shadow(self, name: str) -> Document:
        """A device's shadow."""
        return self._do(lambda: self._services.shadows.document(self._device(name)))

    def desire(self, name: str, state: dict[str, Any] | None, version: int = 0) -> Document:
        """Change what is desired of a device; None: nothing is. HubError where it cannot be."""
        shadows = self._services.shadows
        return self._do(lambda: shadows.desire(self._device(name), state, version))

    def thing(self, name: str) -> Thing:
        """What a device has reported by its data template."""
        return self._do(lambda: self._services.things.thing(self._device(name)))

    def control(self, name: str, params: dict[str, Any], timeout: float = USUAL_S) -> Done:
        """Set a device's properties and wait for its reply, `timeout` s at most."""

        async def control() -> Done:
            return await self._services.things.control(self._device(name), params, timeout)

        return self._run(control)

    def act(
        self, name: str, action: str, params: dict[str, Any], timeout: float = USUAL_S
    ) -> Done:
        """Have a device do something and wait for its response, `timeout` s at most."""

        async def act() -> Done:
            return await self._services.things.act(self._device(name), action, params, timeout)

        return self._run(act)

    def update(self, name: str, version: str, data: bytes, scheme: str = "https") -> int:
        """Have a device take a file over the air; how many hear of it now, 0 or 1. HubError."""
        updates = self._services.updates
        return self._do(
            lambda: updates.offer(self._device(name), version, updates.put(data), scheme)
        )

    def updates(self) -> dict[str, dict[str, Any]]:
        """How each device stands that has said or was told something, by name."""
        product_id = self._management.product.id
        rows = self._do(lambda: self._services.updates.rows(product_id))
        return {row["name"]: row for row in rows}

    def configure(self, name: str, configuration: dict[str, Any]) -> int:
        """Give a device its remote configuration; how many hear of it now. HubError."""
        configurations = self._services.configurations
        return self._do(lambda: configurations.push(self._device(name), configuration))

    def _do(self, function: Callable[[], T]) -> T:
        async def do() -> T:
            return function()

        return self._run(do)


def _bytes(payload: bytes | str) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload
