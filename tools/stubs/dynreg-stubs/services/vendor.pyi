from collections.abc import Callable
from typing import Any

from hub.hub import QcloudHub

class Property:
    key: Any
    data: Any
    type: Any
    def __init__(self) -> None: ...

class HubState:
    INITIALIZED: int
    CONNECTED: int
    DISCONNECTED: int

def getConnectState(hub: QcloudHub) -> int: ...
def setReconnectInterval(hub: QcloudHub, max_sec: float, min_sec: float) -> None: ...
def setMessageTimout(hub: QcloudHub, timeout: float) -> None: ...
def broadcastInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]: ...
def shadowInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]: ...
def getShadow(hub: QcloudHub, productId: str, deviceName: str) -> tuple[int, int]: ...
def shadowUpdate(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    shadow_docs: dict[str, Any],
    length: int | None = None,
) -> tuple[int, int]: ...
def shadowJsonConstructReport(
    hub: QcloudHub, productId: str, deviceName: str, *args: Property
) -> dict[str, Any]: ...
def shadowJsonConstructDesireAllNull(
    hub: QcloudHub, productId: str, deviceName: str
) -> dict[str, Any]: ...
def rrpcInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]: ...
def rrpcReply(
    hub: QcloudHub, productId: str, deviceName: str, reply: Any, length: int | None = None
) -> tuple[int, int]: ...
