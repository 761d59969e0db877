from collections.abc import Callable
from typing import Any

from hub.hub import QcloudHub

class Property:
    """What shadowJsonConstructReport() takes; type: "int", "float", "string"…, not looked at."""

    key: Any
    data: Any
    type: Any
    def __init__(self) -> None: ...

class HubState:
    """What getConnectState() gives."""

    INITIALIZED: int
    CONNECTED: int
    DISCONNECTED: int

def getConnectState(hub: QcloudHub) -> int: ...
def setReconnectInterval(hub: QcloudHub, max_sec: float, min_sec: float) -> None:
    """Changes nothing: dynreg waits by what has failed (docs/timeouts.md)."""

def setMessageTimout(hub: QcloudHub, timeout: float) -> None:
    """Changes nothing: a message with QoS 1 has 60 s."""

def broadcastInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]:
    """callback for each message to all devices."""

def shadowInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]:
    """callback for each answer and each delta, as JSON gives it."""

def getShadow(hub: QcloudHub, productId: str, deviceName: str) -> tuple[int, int]: ...
def shadowUpdate(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    shadow_docs: dict[str, Any],
    length: int | None = None,
) -> tuple[int, int]:
    """Sends what a shadowJsonConstruct…() has made; length is not used."""

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
) -> tuple[int, int]:
    """callback for each call, whose topic comes without the call's own id, as the vendor's."""

def rrpcReply(
    hub: QcloudHub, productId: str, deviceName: str, reply: Any, length: int | None = None
) -> tuple[int, int]:
    """Answers the call whose callback runs, else the oldest; length is not used."""
