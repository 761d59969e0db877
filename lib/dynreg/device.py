"""Device: what an application sees. Each step loads what it needs and drops it again."""

from . import log, port


class Endpoint:
    """Where a service is: scheme, host, port; ca: path of its own CA file, or None."""

    def __init__(self, scheme, host, port, ca=None):
        self.scheme = scheme
        self.host = host
        self.port = port
        self.ca = ca
        self.secure = "s" in scheme[4:]  # https, mqtts, mqtts+psk

    def __str__(self):
        return "%s://%s:%d" % (self.scheme, self.host, self.port)


class DeviceInfo:
    """What device_info.json says, checked; ConfigError where it is missing or wrong.

    mode ("KEY" or "CERT"), product_id, product_secret (None where it is not filled in),
    device_name (with {mac} filled in), client_id, owner ("{product_id}/{device_name}"), credential
    and registered_at (Unix seconds, 0 unknown; both set by credentials.load()), section (where the
    credential stands), cert_file and key_file (paths), burn and early (bool), spread (seconds),
    gateway, mqtt and date (Endpoint), wifi (dict or None), path.
    """

    mode: str
    section: str
    product_id: str
    product_secret: str
    device_name: str
    client_id: str
    owner: str
    credential: str
    cert_file: str
    key_file: str
    burn: bool
    early: bool
    spread: int
    wifi: dict
    gateway: Endpoint
    mqtt: Endpoint
    date: Endpoint

    def __init__(self, path="/device_info.json"):
        self.path = path
        self.credential = None  # pyright: ignore
        self.registered_at = 0
        values = port.step("storage.device_file", "load", self)
        for name in values:
            value = values[name]
            setattr(self, name, Endpoint(*value) if isinstance(value, tuple) else value)


class Device:
    """This board, as device_info.json at path describes it.

    idle: called at least twice a second while dynreg waits, to feed a watchdog or blink a LED.
    ConfigError where the file is missing or wrong, before anything is sent or written.
    """

    session: "Session"  # noqa: F821  # pyright: ignore[reportUndefinedVariable] (of mqtt/session.py)

    def __init__(self, path="/device_info.json", idle=None):
        if idle:
            port.idle = idle
        self.info = info = DeviceInfo(path)
        self.ails = ails = port.step("storage.credentials", "load", info)
        # What a person typed (both ail then) is no credential before a login with it has worked.
        if not all(ails):
            self._heal()
        self.history = port.step("storage.notes", "read", path)
        self.session = None  # pyright: ignore
        self.registered_now = False
        self.clock_set = False
        log.info("device: %s of product %s" % (info.device_name, info.product_id))

    def _heal(self):
        if any(self.ails):
            port.step("storage.store", "heal", self.info, *self.ails)
            self.ails = ()

    @property
    def registered(self):
        """Whether a credential is stored."""
        return bool(self.info.credential)

    @staticmethod
    def forget(confirm, path="/device_info.json"):
        """Erases both copies of the credential, for a registration anew after the next reset.

        confirm: the product id, so that nothing goes by mistake. The cloud refuses to register a
        device that has logged in until it is deleted in the console (docs/protocol.md, 3).
        """
        port.step("storage.store", "forget", DeviceInfo(path), confirm)

    def register(self, anew=False):
        """Gets and stores this device's credential, unless it has one; True when it just did.

        A registered device never registers again by itself: each repeat makes the secret before
        worthless, and after the first login the cloud refuses (docs/protocol.md, 3).
        anew: but for a secret that never logged in, and is refused; connect() does that. It takes
        30 s at most, names aside, and joins no Wi-Fi: connect() does.
        """
        if anew:
            return port.step("register.first_boot", "anew", self)
        info = self.info
        new = not self.registered
        if not new:
            log.info("register: not needed, a credential is stored")
        if new or (info.burn and info.product_secret):
            port.step("register.first_boot", "run", info, self.history["day"])
            self.registered_now = self.registered_now or new
        return self.registered_now

    @property
    def fingerprint(self):
        """Eight hex digits of the credential's SHA-256, None before registration."""
        if not self.registered:
            return None
        return port.step("storage.credentials", "fingerprint", self.info.credential)

    def connect(self, keepalive=60, attempts=1):
        """A logged-in Session; registers before, on the first boot only.

        keepalive: seconds, 0 (none) to 900: one that is gone is found within 1.5 times that.
        attempts: how often to try what another try may mend, with back-off; 0 for ever: then only
        what a person must change on the board comes out. What may take longer to pass, such as a
        refusal, waits for 15 to 60 minutes.
        """
        from .connect import link  # noqa: F401 (stays: what the next step returns is of it)

        opened = port.step("connect.connection", "connect", self, keepalive, attempts)
        if opened:
            info, history = self.info, self.history
            # Only now: TLS has had the memory.
            self.session = port.step(
                "mqtt.session",
                "Session",
                info,
                keepalive,
                history,
                lambda: port.step("connect.connection", "login", info, keepalive, history),
            )
            self.session.attach(*opened)
        self._heal()
        return self.session

    def sync_clock(self):
        """Session.sync_clock(), with 10 s for the answer; Unix milliseconds. After connect()."""
        now = self.session.sync_clock()
        self.clock_set = True
        return now

    def state(self):
        """How the board stands, as a dict for programs; no secret.

        fingerprint: None before registration. registered_at: Unix seconds, 0 unknown. copy_1 and
        copy_2: (place, state) of the credential's two copies. tls: None while not connected.
        clock_uncertainty_ms: how far off the clock was at most when the cloud's time set it, None
        before. free_memory: bytes. ConfigError where the second copy is another device's.
        """
        return port.step("status", "state", self)

    def status(self):
        """What state() says, as text for the REPL; no secret in it."""
        return port.step("status", "text", self)

    def report(self, error=None):
        """One line for programs that watch the serial port: "dynreg: " and a JSON object.

        mac, device, fingerprint, registered (on this boot), stored, connected, clock_set, unix_ms
        (the clock when the line was made), tls, error (a code or null). No secret.
        """
        return port.step("status", "report", self, error)
