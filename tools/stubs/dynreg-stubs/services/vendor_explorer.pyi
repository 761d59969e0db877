from collections.abc import Callable, Sequence
from typing import Any

from hub.hub import QcloudHub

class ReplyPara:
    """What a reply says: code (0: done), status_msg (a text or None); timeout_ms is not used."""

    timeout_ms: int
    code: int
    status_msg: str | None

_Para = ReplyPara

class QcloudExplorer(QcloudHub):
    """As QcloudHub, but for the order of its arguments."""

    ReplyPara: type[_Para]
    def __init__(
        self,
        device_file: str,
        tls: bool = True,
        userdata: Any = None,
        domain: str | None = None,
        useWebsocket: bool = False,
    ) -> None: ...
    def templateInit(
        self,
        productId: str,
        deviceName: str,
        propertyCb: Callable[[str, int, Any, Any], object],
        actionCb: Callable[[str, int, Any, Any], object],
        eventCb: Callable[[str, int, Any, Any], object],
        serviceCb: Callable[[str, int, Any, Any], object],
    ) -> tuple[int, int]:
        """A callback for each kind of message; after that they come."""
    def templateDeinit(self, productId: str, deviceName: str) -> tuple[int, int]:
        """Ends what templateInit() began."""
    def templateSetup(self, productId: str, deviceName: str, config_file: str = "") -> int:
        """Reads the template as the console exports it; 0, or 2 where it cannot be read."""
    def getPropertyList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def getEventsList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def getActionList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def templateReportSysInfo(
        self, productId: str, deviceName: str, sysInfo: dict[str, Any]
    ) -> tuple[int, int]: ...
    def templateGetStatus(self, productId: str, deviceName: str) -> tuple[int, int]:
        """The reply comes to the property's callback."""
    def templateJsonConstructReportArray(
        self, productId: str, deviceName: str, payload: dict[str, Any]
    ) -> dict[str, Any]:
        """What templateReport() is to send."""
    def templateReport(
        self, productId: str, deviceName: str, message: dict[str, Any], kind: str = "property"
    ) -> tuple[int, int]: ...
    def templateEventPost(
        self, productId: str, deviceName: str, message: dict[str, Any]
    ) -> tuple[int, int]:
        """message: {"events": [{"eventId", "type", "timestamp", "params"}, …]}."""
    def templateControlReply(
        self, productId: str, deviceName: str, replyPara: _Para
    ) -> tuple[int, int]:
        """Replies to the control that came last."""
    def templateActionReply(
        self,
        productId: str,
        deviceName: str,
        clientToken: str,
        response: dict[str, Any],
        replyPara: _Para,
    ) -> tuple[int, int]: ...
    def clearControl(self, productId: str, deviceName: str) -> tuple[int, int]:
        """What was set while the board was offline is done."""
