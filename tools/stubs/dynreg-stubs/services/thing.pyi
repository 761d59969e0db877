from collections.abc import Callable
from typing import Any, Literal, overload

from ..mqtt.session import Session
from ._replies import Requests
from .template import Template

class Thing(Requests):
    """control(params): what the cloud sets, a dict; called within poll(), also with what was set
    while the board was offline. action(name, params): what it is to do; the dict that it returns
    is the response. Either may return a str in its place: why it was not done.

    template: a Template (services/template.py): what it does not allow is neither sent nor taken.
    LoginError where the cloud does not grant a topic; NetworkError.
    """
    def __init__(
        self,
        session: Session,
        control: Callable[[dict[str, Any]], object] | None = None,
        action: Callable[[str, dict[str, Any]], object] | None = None,
        template: Template | None = None,
    ) -> None: ...
    def report(self, params: dict[str, Any], ms: int = 10000) -> None:
        """Reports properties (dict).

        ms: how long to wait for the reply; 0, as within a callback, waits for none, and the log
        says if it was refused. NetworkError: not sent, or "network.timeout"; ProtocolError
        "service.refused" with .cloud_code; ConfigError: not of the template.
        """
    def post(
        self,
        event: str,
        params: dict[str, Any],
        kind: Literal["info", "alert", "fault"] = "info",
        ms: int = 10000,
    ) -> None:
        """Reports an event (its id) with its params (dict); kind: "info", "alert" or "fault".

        ms and errors: as report().
        """
    def report_info(self, params: dict[str, Any], ms: int = 10000) -> None:
        """Reports what the board is: fw_ver, mac, module_hardinfo, module_softinfo, device_label…

        ms and errors: as report().
        """
    @overload
    def read(self, ms: Literal[0]) -> None:  # type: ignore[overload-overlap]
        """What the cloud has: {"report": …, "control": …}, each where there is one; None for ms=0.

        ms and errors: as report().
        """
    @overload
    def read(self, ms: int = 10000) -> dict[str, Any]:
        """What the cloud has: {"report": …, "control": …}, each where there is one; None for ms=0.

        ms and errors: as report().
        """
