from collections.abc import Callable
from typing import Any, Literal, overload

from ..mqtt.session import Session
from ._replies import Requests
from .template import Template

class Thing(Requests):
    def __init__(
        self,
        session: Session,
        control: Callable[[dict[str, Any]], object] | None = None,
        action: Callable[[str, dict[str, Any]], object] | None = None,
        template: Template | None = None,
    ) -> None: ...
    def report(self, params: dict[str, Any], ms: int = 10000) -> None: ...
    def post(
        self,
        event: str,
        params: dict[str, Any],
        kind: Literal["info", "alert", "fault"] = "info",
        ms: int = 10000,
    ) -> None: ...
    def report_info(self, params: dict[str, Any], ms: int = 10000) -> None: ...
    @overload
    def read(self, ms: Literal[0]) -> None: ...  # type: ignore[overload-overlap]
    @overload
    def read(self, ms: int = 10000) -> dict[str, Any]: ...
