from collections.abc import Callable
from typing import Any, Literal, overload

from ..mqtt.session import Session
from ._replies import Requests

class Shadow(Requests):
    desired: dict[str, Any]
    version: int
    def __init__(
        self,
        session: Session,
        changed: Callable[[dict[str, Any], int], object] | None = None,
        path: str | None = None,
    ) -> None: ...
    @overload
    def read(self, ms: Literal[0]) -> None: ...  # type: ignore[overload-overlap]
    @overload
    def read(self, ms: int = 10000) -> dict[str, Any]: ...
    def report(
        self,
        state: dict[str, Any] | None = None,
        clear: bool = False,
        version: int = 0,
        ms: int = 10000,
    ) -> None: ...

def kept(path: str) -> dict[str, Any]: ...
