from collections.abc import Callable
from typing import Any

from hub.hub import QcloudHub

def otaInit(
    hub: QcloudHub,
    productId: str,
    deviceName: str,
    callback: Callable[[str, int, Any, Any], object],
) -> tuple[int, int]:
    """callback for each answer to a version that was reported."""

def otaReportVersion(
    hub: QcloudHub, productId: str, deviceName: str, version: str
) -> tuple[int, int]: ...
def otaIsFetching(hub: QcloudHub, productId: str, deviceName: str) -> bool:
    """Whether an update was announced that is still to come."""

def otaIsFetchFinished(hub: QcloudHub, productId: str, deviceName: str) -> bool: ...
def otaIoctlNumber(
    hub: QcloudHub, productId: str, deviceName: str, cmdType: Any
) -> tuple[int, str]:
    """(number, "success") or (-1, why).

    cmdType: 0 bytes fetched, 1 the file's size, 4 whether its MD5 is right, which is 0 then; or a
    member of an Enum with these values.
    """

def otaIoctlString(
    hub: QcloudHub, productId: str, deviceName: str, cmdType: Any, length: int
) -> tuple[str, str]:
    """(text, "success") or ("null", why). cmdType: 2 the MD5 that was announced, 3 the version."""

def otaResetMd5(hub: QcloudHub, productId: str, deviceName: str) -> int: ...
def otaMd5Update(
    hub: QcloudHub, productId: str, deviceName: str, buf: bytes | bytearray | memoryview
) -> int:
    """Of what came earlier, where a download goes on."""

def otaDownloadStart(
    hub: QcloudHub, productId: str, deviceName: str, offset: int, size: int
) -> int:
    """0; 1 where the file is not to be had, and the cloud is told. size is not used."""

def otaFetchYield(
    hub: QcloudHub, productId: str, deviceName: str, buf_len: int
) -> tuple[bytes | None, int]:
    """(bytes, how many): buf_len or what is left of the file. (None, -2) where it ends early."""

def otaReportUpgradeSuccess(
    hub: QcloudHub, productId: str, deviceName: str, version: str | None
) -> tuple[int, int]:
    """version: None for the one that was announced."""

def otaReportUpgradeFail(
    hub: QcloudHub, productId: str, deviceName: str, version: str | None
) -> tuple[int, int]: ...
