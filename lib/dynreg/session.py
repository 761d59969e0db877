"""umqtt.simple made dependable: time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT, PUBLISH, PINGREQ and DISCONNECT and reads the CONNACK (connection.py);
what it does not do well stands in packets.py.
"""

from micropython import const

from . import log, mqtt, port
from .errors import ConfigError, DynregError, NetworkError
from .packets import ANSWER_MS, LARGEST, Packets

_STABLE_MS = const(60000)
_DAY_MS = const(86400000)
_RESYNC_MS = const(2000)  # for the daily time reply, within poll()


class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. history: notes.read()'s.
    connected, and tls ("psk", "verified-ca" or "plain") say how it stands.
    """

    def __init__(self, info, keepalive=60, history=None):
        _check(0 <= keepalive <= 900, "the keep-alive has 0 to 900 seconds")
        super().__init__()
        self.info = info
        self.keepalive = keepalive
        self.history = history or {"day": 0, "psk": 0, "early": 0, "changed": False, "refusals": 0}
        self.tls = None
        self.early = None  # (packet id, ticks_ms asked, ticks_ms answered) of the time request
        self.on_time = None  # gets what comes on the time's topic, while it is waited for
        self._client = None
        self._callbacks = {}  # topic: (callback, qos)
        self._failures = 0
        self._retry_at = None
        self._since = port.ticks_ms()
        self._synced = None

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        self.close()
        from . import connection

        opened = connection.connect(self.info, self.keepalive, self.history)
        del connection
        port.forget("connection")
        self.attach(*opened)

    def attach(self, client, link, tls, early=None):
        """Goes on with what connection.connect() yields."""
        self._client = client
        self.link = link
        self.tls = tls
        self.early = early
        self.connected = True
        self.acks = {}
        self._pinged = self._retry_at = None
        self._since = self._sent = self._heard = port.ticks_ms()
        if early:
            self._pid = early[0]
            self.acks[self._pid] = None
        for topic in self._callbacks:
            self._subscribe(topic, self._callbacks[topic][1])
        self._keep_notes()

    def sync_clock(self, ms=ANSWER_MS):
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        poll() does so again once a day. NetworkError when no reply comes within ms; ProtocolError
        when it holds no time.
        """
        from . import timesync

        self._synced = port.ticks_ms()
        now = timesync.sync(self, ms)
        del timesync
        port.forget("timesync", "clock")
        self._keep_notes()
        return now

    def _keep_notes(self):
        if self.history["changed"]:
            from . import notes

            notes.write(self.info.path, self.history)
            del notes
            port.forget("notes", "board")

    def ask_time(self, where):
        """Asks for the time in one flight: (packet id, ticks_ms when it was sent, None)."""
        self.send()
        while self.link.ready(0):  # a reply to an earlier request must not pass for this one's
            self.receive()
        pid = self.next_pid()
        self.send(mqtt.ask_time(pid, where))
        return pid, self._sent, None

    def subscribe(self, name, callback, qos=0):
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic. LoginError when the cloud does not grant it; its rights are set in the console.
        """
        topic = self._topic(name, qos)
        self._subscribe(topic, qos)
        self._callbacks[topic] = callback, qos

    def _subscribe(self, topic, qos):
        pid = self.next_pid()
        self.send(mqtt.subscribe(pid, topic, qos))
        self.wait_suback(pid, topic)

    def unsubscribe(self, name):
        """Ends what subscribe() began."""
        topic = self._topic(name)
        pid = self.next_pid()
        self.send(mqtt.packet(0xA2, pid.to_bytes(2, "big"), topic))
        self.wait_ack(pid, "UNSUBACK")
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
        _check(len(message) <= LARGEST, "a message has 16384 bytes at most")
        if qos:
            from . import qos1

            qos1.publish(self, topic, message, ms)
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
                    if self.link.ready(min(left, 1000)):
                        self.receive()
                    self._keep_alive()
                else:
                    self._reconnect(min(left, 1000))
            except DynregError as error:
                self.lost(error)
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                return

    def disconnect(self):
        """Says goodbye and closes; poll() does not reconnect after that without connect()."""
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
        from .backoff import wait_ms

        wait = wait_ms(self._failures)
        self._retry_at = port.ticks_add(port.ticks_ms(), wait)
        log.warning("connection lost: %s [%s]; again in %d s" % (error, error.code, wait // 1000))

    def _reconnect(self, ms):
        _check(self._retry_at is not None, "not connected: call connect() first")
        wait = port.ticks_diff(self._retry_at, port.ticks_ms())
        if wait > 0:
            port.pause(min(wait, ms))
        else:
            # Should connect() raise, the next try still keeps the cloud's 5 s.
            self._retry_at = port.ticks_add(port.ticks_ms(), 5000)
            self.connect()

    def _keep_alive(self):
        """PINGREQ at half the keep-alive; no answer within a whole one: the peer is dead."""
        now = port.ticks_ms()
        if self._synced is not None and not 0 <= port.ticks_diff(now, self._synced) < _DAY_MS:
            try:
                self.sync_clock(_RESYNC_MS)
            except DynregError as error:
                log.warning("time: %s" % error)
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
            name = "%s/%s/%s" % (self.info.product_id, self.info.device_name, name)
        _check(0 < len(name.encode()) < 256, "a topic has 255 bytes at most")
        _check(qos in (0, 1), "QoS is 0 or 1 here")
        return name

    def _deliver(self, topic, message):
        ours = topic.startswith("$sys/operation/result/")
        if ours:
            self.early = None  # its answer may have been this: a later question is a new one
            if self.on_time:
                self.on_time(message)
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


def _check(good, rule):
    if not good:
        raise ConfigError("argument", rule)


def _matches(pattern, topic):
    """Whether a filter with + or # takes the topic (MQTT 3.1.1, 4.7.1)."""
    ours, theirs = pattern.split("/"), topic.split("/")
    for i, level in enumerate(ours):
        if level == "#":
            return True
        if i >= len(theirs) or level not in ("+", theirs[i]):
            return False
    return len(ours) == len(theirs)
