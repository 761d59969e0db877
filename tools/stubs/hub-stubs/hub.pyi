from collections.abc import Callable
from typing import Any, Protocol

from dynreg.errors import DynregError
from dynreg.services.vendor import HubState, Property

class LoggerLevel:
    """What logInit() takes; the vendor's own texts, its spelling of one included."""

    DEBUG: str
    INFO: str
    WARNING: str
    ERROR: str

class _Logger(Protocol):
    enabled: bool
    def debug(self, text: str, *values: object) -> None: ...
    def info(self, text: str, *values: object) -> None: ...
    def warning(self, text: str, *values: object) -> None: ...
    def error(self, text: str, *values: object) -> None: ...
    def warring(self, text: str, *values: object) -> None: ...
    def critical(self, text: str, *values: object) -> None: ...

class QcloudHub:
    """The vendor's QcloudHub. device_file: path of device_info.json; tls=False: plain MQTT.

    A relative device_file that is not on the board is /device_info.json. domain: another MQTT
    host. ConfigError where device_file or domain is wrong.
    """

    LoggerLevel: type[LoggerLevel]
    StateError: type[DynregError]
    hub: QcloudHub
    def __init__(
        self,
        device_file: str,
        userdata: Any = None,
        tls: bool = True,
        domain: str | None = None,
        useWebsocket: bool = False,
    ) -> None: ...
    def logInit(
        self,
        level: str,
        filePath: str | None = None,
        maxBytes: int = 0,
        backupCount: int = 0,
        enable: bool = True,
    ) -> _Logger:
        """A logger with debug, info, warning, error. No file: flash is not for logs.

        DEBUG adds a line for each message and request. enable=False: no line at all.
        """
    def dynregDevice(
        self, timeout: float = 10, dynregDomain: str | None = None
    ) -> tuple[int, str]:
        """(0, device secret) or (-1, message). A stored secret is given back, never replaced.

        In certificate mode (0, "success"), as the vendor's. dynregDomain:
        "https://host/device/register" or a host. timeout is not used: it takes 30 s at most.
        """
    def registerMqttCallback(
        self,
        on_connect: Callable[[int, int, Any], object] | None,
        on_disconnect: Callable[[int, Any], object] | None,
        on_message: Callable[[str, Any, int, Any], object] | None,
        on_publish: Callable[[int, Any], object] | None,
        on_subscribe: Callable[[int, int, Any], object] | None,
        on_unsubscribe: Callable[[int, Any], object] | None,
    ) -> None:
        """What to call: on_connect(flags, rc, userdata), on_disconnect(rc, userdata),
        on_message(topic, payload, qos, userdata), on_publish(mid, userdata),
        on_subscribe(mid, granted_qos, userdata), on_unsubscribe(mid, userdata); None for nothing.

        payload: what the JSON says; other text as str; anything else as bytes. rc of
        on_disconnect: 0 after disconnect(), -1 where the connection was lost.
        """
    def registerUserCallback(
        self, topic: str, callback: Callable[[str, int, Any, Any], object]
    ) -> None:
        """callback(topic, qos, payload, userdata) for this topic, in place of on_message."""
    def setKeepaliveInterval(self, interval: int) -> None:
        """Seconds between life signs; counts from the next connect()."""
    def getProductID(self) -> str: ...
    def getDeviceName(self) -> str: ...
    def connect(self) -> int:
        """Logs in; whether it did, isMqttConnected() says, as with the vendor's.

        0, or 1 where it is connected already. What may pass is tried again, by a thread of its
        own, until disconnect(); where trying ends, a line says so and connect() starts it again.
        """
    def isMqttConnected(self) -> bool: ...
    def getNtpAccurateTime(self) -> int:
        """The cloud's time in Unix milliseconds, -1 when none came; sets the board's clock."""
    def subscribe(
        self, topic: str | tuple[str, int] | list[str] | list[tuple[str, int]], qos: int = 0
    ) -> tuple[int, int]:
        """(0, mid) or (-1, mid). Messages come to on_message or the topic's own callback.

        topic: a text, (topic, qos) or a list of these.
        """
    def unsubscribe(self, topic: str | list[str]) -> tuple[int, int]:
        """(0, mid) or (-1, mid). topic: a text or a list of them."""
    def publish(self, topic: str, payload: Any, qos: int) -> tuple[int, int]:
        """(0, mid) or (-1, mid). payload goes out as JSON, a str too, as the vendor's does.

        Bytes go out as they are.
        """
    def disconnect(self) -> None:
        """Ends what connect() began; from within a callback too."""
    # With dynreg.services.vendor and vendor_ota:
    HubState: type[HubState]
    device_property: type[Property]
    def getConnectState(self) -> int: ...
    def setReconnectInterval(self, max_sec: float, min_sec: float) -> None: ...
    def setMessageTimout(self, timeout: float) -> None: ...
    def broadcastInit(
        self, productId: str, deviceName: str, callback: Callable[[str, int, Any, Any], object]
    ) -> tuple[int, int]: ...
    def shadowInit(
        self, productId: str, deviceName: str, callback: Callable[[str, int, Any, Any], object]
    ) -> tuple[int, int]: ...
    def getShadow(self, productId: str, deviceName: str) -> tuple[int, int]: ...
    def shadowUpdate(
        self,
        productId: str,
        deviceName: str,
        shadow_docs: dict[str, Any],
        length: int | None = None,
    ) -> tuple[int, int]: ...
    def shadowJsonConstructReport(
        self, productId: str, deviceName: str, *args: Property
    ) -> dict[str, Any]: ...
    def shadowJsonConstructDesireAllNull(
        self, productId: str, deviceName: str
    ) -> dict[str, Any]: ...
    def rrpcInit(
        self, productId: str, deviceName: str, callback: Callable[[str, int, Any, Any], object]
    ) -> tuple[int, int]: ...
    def rrpcReply(
        self, productId: str, deviceName: str, reply: Any, length: int | None = None
    ) -> tuple[int, int]: ...
    def otaInit(
        self, productId: str, deviceName: str, callback: Callable[[str, int, Any, Any], object]
    ) -> tuple[int, int]: ...
    def otaReportVersion(
        self, productId: str, deviceName: str, version: str
    ) -> tuple[int, int]: ...
    def otaIsFetching(self, productId: str, deviceName: str) -> bool: ...
    def otaIsFetchFinished(self, productId: str, deviceName: str) -> bool: ...
    def otaIoctlNumber(self, productId: str, deviceName: str, cmdType: Any) -> tuple[int, str]: ...
    def otaIoctlString(
        self, productId: str, deviceName: str, cmdType: Any, length: int
    ) -> tuple[str, str]: ...
    def otaResetMd5(self, productId: str, deviceName: str) -> int: ...
    def otaMd5Update(
        self, productId: str, deviceName: str, buf: bytes | bytearray | memoryview
    ) -> int: ...
    def otaDownloadStart(self, productId: str, deviceName: str, offset: int, size: int) -> int: ...
    def otaFetchYield(
        self, productId: str, deviceName: str, buf_len: int
    ) -> tuple[bytes | None, int]: ...
    def otaReportUpgradeSuccess(
        self, productId: str, deviceName: str, version: str | None
    ) -> tuple[int, int]: ...
    def otaReportUpgradeFail(
        self, productId: str, deviceName: str, version: str | None
    ) -> tuple[int, int]: ...
