"""What a service of the hub is, and what the hub gives it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from ..store import Device


class Publish(Protocol):
    """How a service sends by itself: to whoever has subscribed, or keeps it; to how many."""

    def __call__(self, topic: str, payload: bytes, qos: int = 0, /) -> int: ...


class Answer(Protocol):
    """How it answers: only the connection that has asked, if it is still there after `wait` s.

    `told` is called when the answer has gone out; without it that is the event "delivered".
    """

    def __call__(
        self,
        topic: str,
        payload: bytes,
        *,
        wait: float = 0,
        told: Callable[[], None] | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A device's PUBLISH to "{kind}/{product}/{device}", or with "/{tail}" behind it.

    `arrived` is Unix milliseconds. `answer` sends to the device that has asked, `report` reports
    an event of its connection.
    """

    device: Device
    kind: str
    tail: str
    payload: bytes
    arrived: int
    answer: Answer
    report: Callable[..., None]

    @property
    def own(self) -> str:
        """What the device's topics end with: "{product}/{device}"."""
        return own(self.device)


class Service(Protocol):
    """One service."""

    @property
    def kinds(self) -> Collection[str]:
        """What the topics begin with that devices ask it on, such as "$sys/operation"."""
        ...

    def asked(self, request: Request) -> None:
        """A device has published; whatever it has sent, this raises StoreError at most."""
        ...


def own(device: Device) -> str:
    """What a device's topics end with: "{product}/{device}"."""
    return f"{device.product_id}/{device.name}"
