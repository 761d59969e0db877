"""The time, for a device that asks over MQTT. Source: protocol section 6."""

import time
from functools import partial
from typing import Protocol

from .service import Request
from .text import parsed


class ClockFaults(Protocol):
    """What may go wrong on purpose when a device asks for the time."""

    def time(self, answer: dict) -> list[tuple[float, bytes]]:
        """(seconds to wait, payload) of the answer."""
        ...


class Clock:
    """Answers {"type":"get","resource":["time"]}; other types of this topic get no answer."""

    kinds = ("$sys/operation",)

    def __init__(self, faults: ClockFaults) -> None:
        self._faults = faults

    def asked(self, request: Request) -> None:
        """Tell the time, if that was asked for."""
        if not _asks_for_time(request.payload):
            return
        sent = time.time_ns() // 1_000_000
        answer = {
            "type": "get",
            "time": sent // 1000,
            "ntptime1": request.arrived,
            "ntptime2": sent,
        }
        told = partial(request.report, "time_answered")
        for wait, payload in self._faults.time(answer):
            topic = f"$sys/operation/result/{request.own}"
            request.answer(topic, payload, wait=wait, told=told)


def _asks_for_time(payload: bytes) -> bool:
    """Whether this is {"type":"get","resource":["time"]} (protocol section 6)."""
    request = parsed(payload)
    if request is None or request.get("type") != "get":
        return False
    resource = request.get("resource")
    return isinstance(resource, list) and "time" in resource
