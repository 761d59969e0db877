from collections.abc import Callable, Sequence
from typing import Any

from hub.hub import QcloudHub

class ReplyPara:
    timeout_ms: int
    code: int
    status_msg: str | None

_Para = ReplyPara

class QcloudExplorer(QcloudHub):
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
    ) -> tuple[int, int]: ...
    def templateDeinit(self, productId: str, deviceName: str) -> tuple[int, int]: ...
    def templateSetup(self, productId: str, deviceName: str, config_file: str = "") -> int: ...
    def getPropertyList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def getEventsList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def getActionList(self, productId: str, deviceName: str) -> Sequence[Any]: ...
    def templateReportSysInfo(
        self, productId: str, deviceName: str, sysInfo: dict[str, Any]
    ) -> tuple[int, int]: ...
    def templateGetStatus(self, productId: str, deviceName: str) -> tuple[int, int]: ...
    def templateJsonConstructReportArray(
        self, productId: str, deviceName: str, payload: dict[str, Any]
    ) -> dict[str, Any]: ...
    def templateReport(
        self, productId: str, deviceName: str, message: dict[str, Any], kind: str = "property"
    ) -> tuple[int, int]: ...
    def templateEventPost(
        self, productId: str, deviceName: str, message: dict[str, Any]
    ) -> tuple[int, int]: ...
    def templateControlReply(
        self, productId: str, deviceName: str, replyPara: _Para
    ) -> tuple[int, int]: ...
    def templateActionReply(
        self,
        productId: str,
        deviceName: str,
        clientToken: str,
        response: dict[str, Any],
        replyPara: _Para,
    ) -> tuple[int, int]: ...
    def clearControl(self, productId: str, deviceName: str) -> tuple[int, int]: ...
