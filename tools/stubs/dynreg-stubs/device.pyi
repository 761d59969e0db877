from collections.abc import Callable
from typing import Any, Literal, NotRequired, TypedDict

from .errors import DynregError
from .mqtt.session import Session

class _WiFi(TypedDict):
    ssid: str
    password: NotRequired[str]

class _State(TypedDict):
    device: str
    product: str
    mode: Literal["KEY", "CERT"]
    mac: str | None
    fingerprint: str | None
    registered: bool
    registered_at: int
    copy_1: tuple[str, str]
    copy_2: tuple[str, str]
    tls: Literal["psk", "verified-ca", "plain"] | None
    unix_ms: int
    clock_set: bool
    clock_uncertainty_ms: int | None
    firmware: str
    free_memory: int

class Endpoint:
    scheme: str
    host: str
    port: int
    ca: str | None
    secure: bool
    def __init__(self, scheme: str, host: str, port: int, ca: str | None = None) -> None: ...

class DeviceInfo:
    path: str
    mode: Literal["KEY", "CERT"]
    section: str
    product_id: str
    product_secret: str | None
    device_name: str
    client_id: str
    owner: str
    credential: str | tuple[str, str] | None
    registered_at: int
    cert_file: str
    key_file: str
    burn: bool
    early: bool
    spread: int
    wifi: _WiFi | None
    gateway: Endpoint
    mqtt: Endpoint
    date: Endpoint
    def __init__(self, path: str = "/device_info.json") -> None: ...

class Device:
    info: DeviceInfo
    session: Session | Any  # None before connect()
    registered_now: bool
    clock_set: bool
    def __init__(
        self, path: str = "/device_info.json", idle: Callable[[], object] | None = None
    ) -> None: ...
    @property
    def registered(self) -> bool: ...
    @property
    def fingerprint(self) -> str | None: ...
    @staticmethod
    def forget(confirm: str, path: str = "/device_info.json") -> None: ...
    def register(self, anew: bool = False) -> bool: ...
    def connect(self, keepalive: int = 60, attempts: int = 1) -> Session: ...
    def sync_clock(self) -> int: ...
    def state(self) -> _State: ...
    def status(self) -> str: ...
    def report(self, error: DynregError | None = None) -> str: ...
