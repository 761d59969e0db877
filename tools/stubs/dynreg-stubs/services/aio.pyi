from collections.abc import Callable, Coroutine
from typing import Any, Literal, ParamSpec, Self, TypeVar

from ..device import Device
from ..mqtt.session import Session

_T = TypeVar("_T")
_P = ParamSpec("_P")

def run(main: Coroutine[Any, Any, _T]) -> _T:
    """asyncio.run(main), which also ends where main does while dynreg waits in another task."""

class Client:
    """A Device and its session; keepalive, attempts: as Device.connect() has them.

    Calls of several tasks have their turns, one after the other. Cancelled, a call ends at its
    next wait: between packets the session goes on, within one the connection ends and is made
    anew. session: None before connect().
    """

    device: Device
    session: Session | Any  # None before connect()
    def __init__(self, device: Device, keepalive: int = 60, attempts: int = 1) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...
    async def connect(self) -> None:
        """Device.connect(); from then on a task of its own keeps the session alive."""
    async def disconnect(self) -> None:
        """Session.disconnect(); whatever happens, nothing of it runs any more then."""
    async def publish(
        self,
        name: str | bytes,
        message: str | bytes | bytearray | memoryview,
        qos: Literal[0, 1] = 0,
        ms: int = 60000,
        wait: bool = False,
    ) -> None:
        """Session.publish(); NetworkError before connect()."""
    async def subscribe(self, name: str | bytes, qos: Literal[0, 1] = 0) -> None:
        """Session.subscribe(); what comes is had by message()."""
    async def message(self) -> tuple[str, bytes]:
        """The next (topic, message); 64 wait at most, what comes on top is logged and dropped.

        DynregError where the session has ended for good: what only a person can mend on the board,
        or NetworkError after disconnect() and before connect().
        """
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> tuple[str, bytes]: ...
    async def call(self, function: Callable[_P, _T], *args: _P.args, **how: _P.kwargs) -> _T:
        """function(*args, **how), whatever of dynreg it calls, as other tasks run.

        As await cloud.call(device.sync_clock), or await cloud.call(queue.send, cloud.session). Its
        errors are the function's.
        """
