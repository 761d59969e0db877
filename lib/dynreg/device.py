"""Device: what an application sees. Imports late, so that a warm boot never loads registration."""

import gc
import json

from . import clock, credentials, log, port, record, trust, wifi
from .backoff import Backoff
from .device_info import DeviceInfo
from .errors import DynregError, LoginError, StorageError
from .signing import fingerprint


class Device:
    """This board, as device_info.json at path describes it.

    ConfigError where the file is missing or wrong, before anything is sent or written.
    """

    def __init__(self, path="/device_info.json"):
        record.recover(path)
        self.info = info = DeviceInfo(path)
        credentials.load(info)
        if not self.registered:
            info.need_product_secret()
        self.session = None
        self.registered_now = False
        self._clock_set = False
        log.info("device: %s of product %s" % (info.device_name, info.product_id))

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
        record.recover(path)
        credentials.forget(DeviceInfo(path), confirm)
        log.warning("credential: both copies erased")

    def register(self):
        """Gets and stores this device's credential, unless it has one; True when it just did.

        A registered device never registers again by itself: each repeat makes the secret before
        worthless, and after the first login the cloud refuses (docs/protocol.md, 3).
        """
        info = self.info
        if self.registered:
            log.info("register: not needed, credential %s is stored" % self.fingerprint)
        else:
            for endpoint in (info.gateway, info.mqtt):
                if endpoint.ca:  # a mistake in either shows now, while nothing is written yet
                    trust.Trust(endpoint.ca, ()).context()
            credentials.prepare(info)
            log.info("register: %s asks %s" % (info.device_name, info.gateway))
            if not info.gateway.secure:
                log.warning("register: the connection is not encrypted, as device_info.json asks")
            elif not clock.first():
                log.warning("register: without a clock the gateway's certificate cannot be judged")
            from . import registration

            info.credential = registration.register(info)
            log.info("register: credential %s obtained" % self.fingerprint)
            # Stored and read back before the first login: after it the cloud gives no other.
            credentials.store(info, info.credential)
            self.registered_now = True
            log.info("register: stored in %s and in %s" % (info.path, record.where(info.path)))
            del registration
            port.forget("dynreg.registration")
            gc.collect()
        try:
            if info.burn and credentials.burn(info):
                log.info("register: the product secret is off this board now")
        except StorageError as error:
            log.error("register: the product secret stays on this board: %s" % error)
        return self.registered_now

    @property
    def fingerprint(self):
        """Eight hex digits of the credential, None before registration."""
        value = self.info.credential
        return value and fingerprint(value if isinstance(value, str) else "".join(value))

    def connect(self, keepalive=60, attempts=1):
        """A logged-in Session; registers before, on the first boot only.

        attempts: how often to try while the network is down, with back-off; 0 for ever. A login
        that the broker refuses is tried three times.
        """
        backoff = Backoff()
        session = self.session
        while True:
            try:
                if self.info.wifi:
                    wifi.join(self.info.wifi["ssid"], self.info.wifi.get("password"))
                self.register()
                if self.info.mqtt.secure:
                    clock.first()
                from .session import Session

                session = session or Session(self.info, keepalive)
                session.connect()
                self.session = session
                return session
            except LoginError as error:
                if session is None or session.given_up:
                    raise
                self._wait(error, backoff)
            except DynregError as error:
                if not error.retry or backoff.attempts + 1 == attempts:
                    raise
                self._wait(error, backoff)

    def _wait(self, error, backoff):
        wait = backoff.next()
        log.warning("%s; again in %d s" % (error, wait // 1000))
        port.sleep_ms(wait)

    def sync_clock(self):
        """Sets the clock by the cloud's; Unix milliseconds."""
        now = self.session.sync_clock()
        self._clock_set = clock.plausible(port.unix_ms() // 1000)
        return now

    def report(self, error=None):
        """One line for programs that watch the serial port: "dynreg: " and a JSON object.

        device, registered (on this boot), stored, connected, clock_set, unix_ms (the clock when
        the line was made), tls, error (a code or null). No secret.
        """
        session = self.session
        return "dynreg: " + json.dumps(
            {
                "device": self.info.client_id,
                "registered": self.registered_now,
                "stored": self.registered,
                "connected": bool(session and session.connected),
                "clock_set": self._clock_set,
                "unix_ms": port.unix_ms(),
                "tls": session.tls if session else None,
                "error": error.code if error else None,
            }
        )

    def status(self):
        """What stands where, as text for the REPL; no secret in it."""
        info = self.info
        session = self.session
        when = "no"
        if self.registered:
            when = (
                clock.text(info.registered_at * 1000)
                if info.registered_at
                else "at a time unknown"
            )
        lines = [
            ("device", "%s of product %s" % (info.device_name, info.product_id)),
            ("credential", "%s, fingerprint %s" % (info.mode, self.fingerprint)),
            ("copy 1", "%s: %s" % (info.path, credentials.in_file(info)[0])),
            ("copy 2", "%s: %s" % (record.where(info.path), credentials.in_record(info)[0])),
            ("registered", when),
            ("connection", session.tls if session and session.connected else "none"),
            ("clock", clock.text(port.unix_ms()) + ("" if clock.unix_time() else " (not set)")),
            ("firmware", port.firmware()),
            ("free memory", "%d bytes" % port.free_memory()),
        ]
        return "\n".join("%-12s %s" % line for line in lines)
