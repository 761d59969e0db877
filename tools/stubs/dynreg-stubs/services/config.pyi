from collections.abc import Callable
from typing import Any

from ..mqtt.session import Session

class Config:
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
    def poll(self) -> None: ...
