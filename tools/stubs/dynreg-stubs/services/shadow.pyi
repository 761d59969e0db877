from collections.abc import Callable
from typing import Any, Literal, overload

from ..mqtt.session import Session
from ._replies import Requests

class Shadow(Requests):
    """desired: what the cloud wants, as far as is known; version: of the document, 0 before.

    changed(delta, version): called within poll() with what is desired and not reported, each time
    that it is pushed or read. path: of a file that keeps desired over a power cut, written only
    when that has changed, and then once; without one nothing is written.
    A flash that does not take it is logged. LoginError where the cloud does not grant the topic;
    NetworkError.
    """

    desired: dict[str, Any]
    version: int
    def __init__(
        self,
        session: Session,
        changed: Callable[[dict[str, Any], int], object] | None = None,
        path: str | None = None,
    ) -> None: ...
    @overload
    def read(self, ms: Literal[0]) -> None:  # type: ignore[overload-overlap]
        """The shadow's state: {"reported": …, "desired": …, "delta": …}, each where there is one.

        ms and errors: as report(); None for ms=0.
        """
    @overload
    def read(self, ms: int = 10000) -> dict[str, Any]:
        """The shadow's state: {"reported": …, "desired": …, "delta": …}, each where there is one.

        ms and errors: as report(); None for ms=0.
        """
    def report(
        self,
        state: dict[str, Any] | None = None,
        clear: bool = False,
        version: int = 0,
        ms: int = 10000,
    ) -> None:
        """Reports state (dict; a key set to None goes away). clear: nothing is desired any more.

        version: the cloud refuses where the shadow has another one; 0: whatever it has. ms: how
        long to wait for the reply; 0, as within a callback, waits for none, and the log says if it
        was refused. NetworkError: not sent, or "network.timeout"; ProtocolError "service.refused"
        with .cloud_code.
        """

def kept(path: str) -> dict[str, Any]:
    """What was desired last, as Shadow(…, path=path) has kept it; {} where it has not.

    Needs no session: for a board that is to stand as it was last wanted before it has a network.
    """
