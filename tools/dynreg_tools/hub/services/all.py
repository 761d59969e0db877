"""All services of the hub, made together, found by the topics that devices ask them on."""

from collections.abc import Callable, Mapping
from typing import Protocol

from ..events import Journal
from ..store import Store
from .broadcast import Broadcasts
from .clock import Clock, ClockFaults
from .configuration import Configurations
from .rrpc import Calls
from .service import Publish, Service
from .shadow import Shadows
from .thing import Things
from .updates import UpdateFaults, Updates


class ServiceFaults(ClockFaults, UpdateFaults, Protocol):
    """What may go wrong on purpose in any of them."""


class Services:
    """`publish` is how they send by themselves; `by_kind` has each by its topics.

    A service with something to keep takes tables of its own of `store`, and reports by `journal`.
    `url` gives the gateway's URL for a scheme.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        publish: Publish,
        faults: ServiceFaults,
        url: Callable[[str], str],
    ) -> None:
        self.broadcasts = Broadcasts(store, publish)
        self.calls = Calls(publish)
        self.shadows = Shadows(store, journal, publish)
        self.things = Things(store, journal, publish)
        self.updates = Updates(store, journal, publish, faults, url)
        self.configurations = Configurations(store, journal, publish)
        services: tuple[Service, ...] = (
            *(Clock(faults), self.calls, self.shadows, self.things),
            *(self.updates, self.configurations),
        )
        self.by_kind: Mapping[str, Service] = {
            kind: service for service in services for kind in service.kinds
        }
