"""Device: what an application sees. Each step loads what it needs and drops it again."""

from . import log, port
from .device_info import DeviceInfo
from .errors import DynregError


class Device:
    """This board, as device_info.json at path describes it.

    idle: called at least twice a second while dynreg waits, to feed a watchdog or blink a LED.
    ConfigError where the file is missing or wrong, before anything is sent or written.
    """

    def __init__(self, path="/device_info.json", idle=None):
        from . import credentials, device_file, notes, record

        if idle:
            port.idle = idle
        record.recover(path)
        self.info = info = DeviceInfo(path)
        credentials.load(info)
        if not info.credential:
            device_file.need_product_secret(info)
        self.history = notes.read(path)
        self.session = None
        self.registered_now = False
        self.clock_set = False
        log.info("device: %s of product %s" % (info.device_name, info.product_id))
        del credentials, device_file, notes, record
        port.forget("credentials", "device_file", "notes", "record", "board", "clock")

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
        from . import credentials, record

        record.recover(path)
        credentials.forget(DeviceInfo(path), confirm)
        log.warning("credential: both copies erased")

    def register(self):
        """Gets and stores this device's credential, unless it has one; True when it just did.

        A registered device never registers again by itself: each repeat makes the secret before
        worthless, and after the first login the cloud refuses (docs/protocol.md, 3).
        """
        if not self.registered or self.info.burn:
            from . import first_boot

            first_boot.run(self)
            del first_boot
            port.forget("first_boot")
        else:
            log.info("register: not needed, a credential is stored")
        return self.registered_now

    @property
    def fingerprint(self):
        """Eight hex digits of the credential, None before registration."""
        if not self.registered:
            return None
        from . import credentials

        digits = credentials.fingerprint(self.info.credential)
        del credentials
        port.forget("credentials", "record", "board", "clock")
        return digits

    def connect(self, keepalive=60, attempts=1):
        """A logged-in Session; registers before, on the first boot only.

        attempts: how often to try what another try may mend, with back-off; 0 for ever. A login
        that the broker refuses is tried three times at most.
        """
        failures = 0
        while True:
            try:
                return self._connect(keepalive)
            except DynregError as error:
                failures += 1
                if not error.retry or failures == attempts:
                    raise
                from .backoff import wait_ms

                wait = wait_ms(failures)
                log.warning("%s [%s]; again in %d s" % (error, error.code, wait // 1000))
            port.pause(wait)

    def _connect(self, keepalive):
        info = self.info
        if info.wifi:
            from . import wifi

            wifi.join(info.wifi["ssid"], info.wifi.get("password"))
            del wifi
            port.forget("wifi", "board")
        self.register()
        if self.session:
            self.session.connect()
            return self.session
        from . import connection

        opened = connection.connect(info, keepalive, self.history, info.early)
        del connection
        port.forget("connection")
        from .session import Session

        session = Session(info, keepalive, self.history)
        session.attach(*opened)
        self.session = session
        return session

    def sync_clock(self):
        """Sets the clock by the cloud's; Unix milliseconds."""
        now = self.session.sync_clock()
        self.clock_set = True
        return now

    def state(self):
        """How the board stands, as a dict for programs (status.py has the keys); no secret."""
        return self._status("state")

    def status(self):
        """What stands where, as text for the REPL; no secret in it."""
        return self._status("text")

    def report(self, error=None):
        """One line for programs that watch the serial port: "dynreg: " and a JSON object.

        mac, device, fingerprint, registered (on this boot), stored, connected, clock_set, unix_ms
        (the clock when the line was made), tls, error (a code or null). No secret.
        """
        return self._status("report", error)

    def _status(self, name, *arguments):
        from . import status

        told = getattr(status, name)(self, *arguments)
        del status
        port.forget("status", "credentials", "device_file", "record", "board", "clock")
        return told
