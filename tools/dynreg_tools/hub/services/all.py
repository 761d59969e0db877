"""All services of the hub, made together, found by the topics that devices ask them on."""

from collections.abc import Mapping
from typing import Protocol

from ..events import Journal
from ..store import Store
from .clock import Clock, ClockFaults
from .rrpc import Calls
from .service import Publish, Service


class ServiceFaults(ClockFaults, Protocol):
    """What may go wrong on purpose in any of them."""


class Services:
    """`publish` is how they send by themselves; `by_kind` has each by its topics.

    A service with something to keep takes tables of its own of `store`, and reports by `journal`.
    """

    def __init__(
        self, _store: Store, _journal: Journal, publish: Publish, faults: ServiceFaults
    ) -> None:
        self.calls = Calls(publish)
        services: tuple[Service, ...] = (Clock(faults), self.calls)
        self.by_kind: Mapping[str, Service] = {
            kind: service for service in services for kind in service.kinds
        }
