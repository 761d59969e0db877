"""Device: what an application sees. Imports late, so that a warm boot never loads registration."""

import gc
import json

from . import clock, credentials, log, port, trust, wifi
from .backoff import Backoff
from .device_info import DeviceInfo
from .errors import DynregError
from .signing import fingerprint


class Device:
    """This board, as device_info.json at path describes it.

    ConfigError where the file is missing or wrong, before anything is sent or written.
    """

    def __init__(self, path="/device_info.json"):
        credentials.recover(path)
        self.info = DeviceInfo(path)
        self.session = None
        self.registered_now = False
        self._clock_set = False
        log.info("device: %s of product %s" % (self.info.device_name, self.info.product_id))

    @property
    def registered(self):
        """Whether a device secret is stored."""
        return bool(self.info.device_secret)

    def register(self):
        """Gets and stores this device's secret, unless it has one; True when it just did.

        A registered device never registers again by itself: each repeat makes the secret before
        worthless, and after the first login the cloud refuses (docs/protocol.md, 3).
        """
        if self.registered:
            stored = fingerprint(self.info.device_secret)
            log.info("register: not needed, secret %s is stored" % stored)
            return False
        from . import registration

        for endpoint in (self.info.gateway, self.info.mqtt):
            if endpoint.ca:  # a mistake in either shows now, while nothing is written yet
                trust.Trust(endpoint.ca, ()).context()
        log.info("register: %s asks %s" % (self.info.device_name, self.info.gateway))
        if not self.info.gateway.secure:
            log.warning("register: the connection is not encrypted, as device_info.json asks")
        elif not clock.first():
            log.warning("register: without a clock the gateway's certificate cannot be judged")
        secret = registration.register(self.info)
        log.info("register: secret %s obtained" % fingerprint(secret))
        # Stored and read back before the first login: after it the cloud gives no other.
        credentials.store(self.info.path, secret)
        self.info.device_secret = secret
        self.registered_now = True
        log.info("register: secret stored in %s" % self.info.path)
        del registration
        port.forget("dynreg.registration")
        gc.collect()
        return True

    def connect(self, keepalive=60, attempts=1):
        """A logged-in Session; registers before, on the first boot only.

        attempts: how often to try while the network is down, with back-off; 0 for ever.
        """
        backoff = Backoff()
        while True:
            try:
                if self.info.wifi:
                    wifi.join(self.info.wifi["ssid"], self.info.wifi.get("password"))
                self.register()
                if self.info.mqtt.secure:
                    clock.first()
                from .session import Session

                session = self.session or Session(self.info, self.info.device_secret, keepalive)
                session.connect()
                self.session = session
                return session
            except DynregError as error:
                if not error.retry or backoff.attempts + 1 == attempts:
                    raise
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
