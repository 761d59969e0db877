from collections.abc import Callable
from typing import Any

from ..mqtt.session import Session

class Config:
    """One device's configuration. No network is needed to make one.

    changed: called within session.poll() with each new object, before it is kept: what it raises
    is logged, and the object is not kept. value: a dict, or None where there never was one.
    path: of the file, which holds the old object or the new one whenever the power goes.
    """

    session: Session
    changed: Callable[[dict[str, Any]], object] | None
    path: str
    value: dict[str, Any] | None
    def __init__(
        self,
        session: Session,
        changed: Callable[[dict[str, Any]], object] | None = None,
        path: str = "/remote.config",
    ) -> None: ...
    def poll(self) -> None:
        """Asks for it on each new connection, three times at most. Call it beside session.poll().

        What a network does does not come out. StorageError is logged: the object is not kept.
        """
