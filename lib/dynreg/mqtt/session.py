"""umqtt.simple made dependable: time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT, PUBLISH, PINGREQ and DISCONNECT and reads the CONNACK
(connect/login.py); what it does not do well stands in packets.py.
"""

from micropython import const

from .. import log, port
from ..errors import ConfigError, DynregError, NetworkError
from .packets import Packets

_LARGEST = const(16384)  # bytes of one message (docs/protocol.md, 4)
_ANSWER_MS = const(10000)  # for the time reply
_STABLE_MS = const(60000)
_DAY_MS = const(86400000)
_HOUR_MS = const(3600000)
_RESYNC_MS = const(2000)  # for the daily time reply, within poll()


class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. history: notes.read()'s.
    login: connection.login() for a connection made anew.
    connected, and tls ("psk", "verified-ca" or "plain") say how it stands. within: how many
    milliseconds the clock was off at most when the cloud's time set it, None before.
    """

    def __init__(self, info, keepalive, history, login):
        _check(0 <= keepalive <= 900, "the keep-alive has 0 to 900 seconds")
        super().__init__()
        self.info = info
        self.keepalive = keepalive
        self.history = history
        self.login = login
        self.tls = None
        self.early = None  # (packet id, ticks_ms asked, ticks_ms answered) of the time request
        self.on_time = None  # gets what comes on the time's topic, while it is waited for
        self.time_topic = False  # whether this connection has the time's topic already
        self.within = None
        self.attempts = None  # how often poll() may still ask for a better time; None: not yet
        self.asked = None  # (ticks_ms, link.count) of the request that poll() has sent
        self._client = None
        self._callbacks = {}  # topic: (callback, qos)
        self._failures = 0
        self._retry_at = None  # pyright: ignore
        self._since = port.ticks_ms()
        self._synced = None

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        self.close()
        self.attach(*self.login())

    def attach(self, client, link, tls, early=None):
        """Goes on with a login, as connection.login() gives it."""
        self._client = client
        self.link = link
        self.tls = tls
        self.early = early
        self.time_topic = False
        self.asked = None
        self.connected = True
        self.acks = {}
        self._pinged = self._retry_at = None
        self._since = self._sent = self._heard = port.ticks_ms()
        if early:
            self._pid = early[0]
            self.acks[self._pid] = None
        for topic in self._callbacks:
            port.step("mqtt.acknowledged", "subscribe", self, topic, self._callbacks[topic][1])
        self._keep_notes()

    def close(self):
        """Closes without a word."""
        self._client = None  # it holds the link, and that TLS's buffers
        super().close()

    def sync_clock(self, ms=_ANSWER_MS):
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        poll() makes it better where the round trip was long, and does so again once a day, an hour
        after a failure. NetworkError when no reply comes within ms; ProtocolError when it holds no
        time, and at once where none has come at the boot before: poll() then asks meanwhile.
        """
        self._synced = port.ticks_add(port.ticks_ms(), _HOUR_MS - _DAY_MS)
        try:
            now = port.step("mqtt.timesync", "sync", self, ms)
            self._synced = port.ticks_ms()
            return now
        finally:
            self._keep_notes()

    def _refine(self, function, *args):
        """A step of a better time, which no application is to suffer from."""
        try:
            port.step("mqtt.timesync", function, self, *args)
        except MemoryError:
            self.attempts = 0
            log.warning("time: no memory for a better one")
        self._keep_notes()

    def _keep_notes(self):
        if self.history["changed"]:
            port.step("storage.notes", "write", self.info.path, self.history)

    def subscribe(self, name, callback, qos=0):
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic. LoginError when the cloud does not grant it; its rights are set in the console.
        """
        topic = self._topic(name, qos)
        port.step("mqtt.acknowledged", "subscribe", self, topic, qos)
        self._callbacks[topic] = callback, qos

    def unsubscribe(self, name):
        """Ends what subscribe() began."""
        topic = self._topic(name)
        port.step("mqtt.acknowledged", "unsubscribe", self, topic)
        self._callbacks.pop(topic, None)

    def granted(self, topic):
        """The QoS that a whole topic was subscribed with; 0 where it was not."""
        return self._callbacks.get(topic, (None, 0))[1]

    def publish(self, name, message, qos=0, ms=60000):
        """Sends message (str or bytes, 16 KB at most).

        With QoS 1 it is sent again, over reconnects too, until the PUBACK comes; NetworkError
        "network.unacknowledged" where that is not within ms milliseconds.
        """
        topic = self._topic(name, qos)
        if isinstance(message, str):
            message = message.encode()
        _check(len(message) <= _LARGEST, "a message has 16384 bytes at most")
        if qos:
            from . import acknowledged  # stays: who publishes so once does it again

            acknowledged.publish(self, topic, message, ms)
        else:
            self.send()
            self._client.publish(topic.encode(), message)
            self.send()

    def poll(self, ms=0):
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect, daily time.

        A lost connection is tried again after 5 s and more, a refused login up to three times;
        what waiting does not mend (LoginError, CertificateError and the like) comes out. Longer
        than ms only where a reconnect or the daily time exchange is on its way.
        """
        end = port.ticks_add(port.ticks_ms(), ms)
        while True:
            left = max(0, port.ticks_diff(end, port.ticks_ms()))
            try:
                if self.connected:
                    if self.link.broken:
                        raise NetworkError("network.closed", "the line broke meanwhile")
                    if self.attempts and not self.asked and not self.link.ready(0):
                        self._refine("ask")
                    if self.link.ready(min(left, 1000)):
                        self.receive()
                    self._keep_alive()
                else:
                    _check(self._retry_at is not None, "not connected: call connect() first")
                    now = port.ticks_ms()
                    wait = port.ticks_diff(self._retry_at, now)  # pyright: ignore
                    if wait > 0:
                        port.pause(min(wait, left, 1000))
                    else:
                        # Should connect() raise, the next try still keeps the cloud's 5 s.
                        self._retry_at = port.ticks_add(now, 5000)
                        self.connect()
            except DynregError as error:
                self.lost(error)
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                return

    def disconnect(self):
        """DISCONNECT, then closes; poll() does not reconnect after that without connect()."""
        if self.connected:
            try:
                self._client.disconnect()
            except NetworkError:
                pass
            log.info("disconnect: done")
        self.close()
        self._retry_at = None

    def lost(self, error):
        """Closes; poll() tries again after a while. Raises error where that would not mend it."""
        if not error.retry:
            raise error
        # Negative after six days: long enough as well.
        if self.connected and not 0 <= port.ticks_diff(port.ticks_ms(), self._since) <= _STABLE_MS:
            self._failures = 0
        self.close()
        self._failures += 1
        wait = port.step("connect.backoff", "wait_ms", self._failures)
        self._retry_at = port.ticks_add(port.ticks_ms(), wait)
        log.warning("connection lost: %s [%s]; again in %d s" % (error, error.code, wait // 1000))

    def _keep_alive(self):
        """PINGREQ at half the keep-alive; no answer within a whole one: the peer is dead."""
        now = port.ticks_ms()
        if self._synced is not None and not 0 <= port.ticks_diff(now, self._synced) < _DAY_MS:
            try:
                self.sync_clock(_RESYNC_MS)
            except DynregError as error:
                log.warning("time: not set anew: %s" % error)
        if not self.keepalive or not self.connected:
            return
        if self._pinged is not None:
            if port.ticks_diff(now, self._pinged) > self.keepalive * 1000:
                raise NetworkError("network.keepalive", "the broker does not answer pings")
        # Unheard of for half the time counts too: what we send may go nowhere.
        elif (
            max(port.ticks_diff(now, self._sent), port.ticks_diff(now, self._heard))
            >= self.keepalive * 500
        ):
            self._client.ping()
            self.send()
            self._pinged = now

    def _topic(self, name, qos=0):
        if "/" not in name and "$" not in name:
            name = "%s/%s" % (self.info.owner, name)
        _check(0 < len(name.encode()) < 256, "a topic has 255 bytes at most")
        _check(qos in (0, 1), "QoS is 0 or 1 here")
        return name

    def _deliver(self, topic, message):
        ours = topic.startswith("$sys/operation/result/")
        if ours:
            self.early = None  # its answer may have been this: a later question is a new one
            self.time_topic = True
            if self.on_time:
                self.on_time(message)
            elif self.asked:
                self._refine("refine", message, self._heard)
        callback, _ = self._callbacks.get(topic, (None, 0))
        for pattern in self._callbacks:
            if not callback and _matches(pattern, topic):
                callback, _ = self._callbacks[pattern]
        if callback:
            try:
                callback(topic, message)
            except Exception as error:  # the application's fault must not end the session
                log.error("callback for %s: %r" % (topic, error))
        elif not ours:
            log.warning("message on %s: nobody asked for it" % topic)


def _check(value, text):
    if not value:
        raise ConfigError("argument", text)


def _matches(name, topic):
    """Whether a filter with + or # takes the topic (MQTT 3.1.1, 4.7.1)."""
    ours, theirs = name.split("/"), topic.split("/")
    for i, level in enumerate(ours):
        if level == "#":
            return True
        if i >= len(theirs) or level not in ("+", theirs[i]):
            return False
    return len(ours) == len(theirs)
