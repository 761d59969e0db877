"""The control port: the HTTP interface with its checks, served by uvicorn."""

import secrets
from collections.abc import Callable, Mapping

from ..addresses import ANY, is_loopback
from ..events import Journal
from ..faults import Faults
from ..management import Management
from ..services import Services
from .access import LOCAL_HOSTS, Access
from .app import Interface
from .feed import Feed
from .port import Port

_TOKEN_BYTES = 24


class Control:
    """Serves connections handed to it by a Listener.

    `about` is what GET /product says beside the switches; the rest as Access has it.
    """

    def __init__(
        self,
        management: Management,
        services: Services,
        faults: Faults,
        journal: Journal,
        about: Mapping[str, object],
        *,
        hosts: frozenset[str] | None,
        token: str | None,
        limit: float,
        broken: Callable[[Exception], None],
    ) -> None:
        feed = Feed()
        journal.listen(feed.add)
        app = Interface(management, services, faults, feed, about).app()
        access = Access(app, hosts=hosts, token=token, limit=limit, broken=broken)
        self.serve = Port(access, limit).serve


def new_token(address: str) -> str | None:
    """What a request must bring, None where only this machine reaches the port."""
    return None if is_loopback(address) else secrets.token_urlsafe(_TOKEN_BYTES)


def hosts(name: str, address: str) -> frozenset[str] | None:
    """How the port may be called in Host; None, any, where it listens on all addresses."""
    return None if address in ANY else LOCAL_HOSTS | {name.lower(), address}
