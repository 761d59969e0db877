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
    """Where a service is: scheme, host, port; ca: path of its own CA file, or None."""

    scheme: str
    host: str
    port: int
    ca: str | None
    secure: bool
    def __init__(self, scheme: str, host: str, port: int, ca: str | None = None) -> None: ...

class DeviceInfo:
    """What device_info.json says, checked; ConfigError where it is missing or wrong.

    mode ("KEY" or "CERT"), product_id, product_secret (None where it is not filled in),
    device_name (with {mac} filled in), client_id, owner ("{product_id}/{device_name}"), credential
    and registered_at (Unix seconds, 0 unknown; both set by credentials.load()), section (where the
    credential stands), cert_file and key_file (paths), burn and early (bool), spread (seconds),
    gateway, mqtt and date (Endpoint), wifi (dict or None), path.
    """

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
    """This board, as device_info.json at path describes it.

    idle: called at least twice a second while dynreg waits, to feed a watchdog or blink a LED.
    ConfigError where the file is missing or wrong, before anything is sent or written.
    """

    info: DeviceInfo
    session: Session | Any  # None before connect()
    registered_now: bool
    clock_set: bool
    def __init__(
        self, path: str = "/device_info.json", idle: Callable[[], object] | None = None
    ) -> None: ...
    @property
    def registered(self) -> bool:
        """Whether a credential is stored."""
    @property
    def fingerprint(self) -> str | None:
        """Eight hex digits of the credential's SHA-256, None before registration."""
    @staticmethod
    def forget(confirm: str, path: str = "/device_info.json") -> None:
        """Erases both copies of the credential, for a registration anew after the next reset.

        confirm: the product id, so that nothing goes by mistake. The cloud refuses to register a
        device that has logged in until it is deleted in the console (docs/protocol.md, 3).
        """
    def register(self, anew: bool = False) -> bool:
        """Gets and stores this device's credential, unless it has one; True when it just did.

        A registered device never registers again by itself: each repeat makes the secret before
        worthless, and after the first login the cloud refuses (docs/protocol.md, 3).
        anew: but for a secret that never logged in, and is refused; connect() does that. It takes
        30 s at most, names aside, and joins no Wi-Fi: connect() does.
        """
    def connect(self, keepalive: int = 60, attempts: int = 1) -> Session:
        """A logged-in Session; registers before, on the first boot only.

        keepalive: seconds, 0 (none) to 900: one that is gone is found within 1.5 times that.
        attempts: how often to try what another try may mend, with back-off; 0 for ever: then only
        what a person must change on the board comes out. What may take longer to pass, such as a
        refusal, waits for 15 to 60 minutes.
        """
    def sync_clock(self) -> int:
        """Session.sync_clock(), with 10 s for the answer; Unix milliseconds. After connect()."""
    def state(self) -> _State:
        """How the board stands, as a dict for programs; no secret.

        fingerprint: None before registration. registered_at: Unix seconds, 0 unknown. copy_1 and
        copy_2: (place, state) of the credential's two copies. tls: None while not connected.
        clock_uncertainty_ms: how far off the clock was at most when the cloud's time set it, None
        before. free_memory: bytes. ConfigError where the second copy is another device's.
        """
    def status(self) -> str:
        """What state() says, as text for the REPL; no secret in it."""
    def report(self, error: DynregError | None = None) -> str:
        """One line for programs that watch the serial port: "dynreg: " and a JSON object.

        mac, device, fingerprint, registered (on this boot), stored, connected, clock_set, unix_ms
        (the clock when the line was made), tls, error (a code or null). No secret.
        """
