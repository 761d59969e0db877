"""umqtt.simple made dependable: time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT, PUBLISH and PINGREQ and reads the CONNACK (connect/login.py); what it
does not do well stands in packets.py.
"""

from micropython import const

from .. import log, port
from ..errors import ConfigError, DynregError, LoginError, NetworkError
from .packets import Packets

_LARGEST = const(16384)  # bytes of one message (docs/protocol.md, 4)
_ANSWER_MS = const(10000)  # for the time reply
_STABLE_MS = const(60000)
_DAY_MS = const(86400000)
_RESYNC_MS = const(2000)  # for the daily time reply, within poll()
_AGAIN_MS = const(900000)  # until what was refused on a reconnect is asked for again
_GOODBYE_MS = const(2000)  # for the broker to close after DISCONNECT
_MOST = const(64)  # messages that wait for their callback, and that poll() takes beyond its time


class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. history: notes.read()'s.
    login: connection.login() for a connection made anew.
    connected, and tls ("psk", "verified-ca" or "plain") say how it stands; refused: the topics
    that the broker no longer granted on the last reconnect, asked for again every 15 minutes.

    Callbacks run within poll() alone, one after the other, and may call whatever is here: what
    arrives meanwhile waits for its turn. Nothing but a DynregError comes out of any call, besides
    KeyboardInterrupt and its like.
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
        self._client = None
        self._callbacks = {}  # topic: (callback, qos)
        self.refused = []
        self._asked = 0
        self._inbox = []  # (topic, message, packet id, its link): callbacks still to be called
        self._calling = False
        self._failures = 0
        self._retry_at = None  # pyright: ignore
        self._since = port.ticks_ms()
        self._synced = None

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        self.close()
        _safe(self.attach, *_safe(self.login))

    def attach(self, client, link, tls, early=None):
        """Goes on with a login, as connection.login() gives it."""
        self._client = client
        self.link = link
        self.tls = tls
        self.early = early
        self.acks = {}
        self._pinged = self._retry_at = None
        self._since = self._sent = self._heard = port.ticks_ms()
        if early:
            self._pid = early[0]
            self.acks[self._pid] = None
        self._restore(list(self._callbacks))
        self._keep_notes()

    def _restore(self, topics):
        """Subscribes to them again; what is refused must not keep the others from it."""
        self.refused = []
        for topic in topics:
            if topic in self._callbacks:
                qos = self._callbacks[topic][1]
                try:
                    port.step("mqtt.acknowledged", "subscribe", self, topic, qos)
                except LoginError as error:
                    log.error("%s [%s]; asked for again in 15 min" % (error, error.code))
                    self.refused.append(topic)
        self._asked = port.ticks_ms()

    def close(self):
        """Closes without a word."""
        self._client = None  # it holds the link, and that TLS's buffers
        super().close()

    def sync_clock(self, ms=_ANSWER_MS):
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        poll() does so again once a day. NetworkError when no reply comes within ms; ProtocolError
        when it holds no time.
        """
        self._synced = port.ticks_ms()
        now = _safe(lambda: port.step("mqtt.timesync", "sync", self, ms))
        self._keep_notes()
        return now

    def _keep_notes(self):
        if self.history["changed"]:
            port.step("storage.notes", "write", self.info.path, self.history)

    def subscribe(self, name, callback, qos=0):
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic or filter. LoginError when the cloud does not grant it; its rights are set in the
        console.
        """
        topic = self._topic(name, qos)
        _check(callable(callback), "a callback is a function of topic and message")
        _safe(lambda: port.step("mqtt.acknowledged", "subscribe", self, topic, qos))
        self._callbacks[topic] = callback, qos

    def unsubscribe(self, name):
        """Ends what subscribe() began."""
        topic = self._topic(name)
        _safe(lambda: port.step("mqtt.acknowledged", "unsubscribe", self, topic))
        self._callbacks.pop(topic, None)

    def granted(self, topic):
        """The QoS that a whole topic was subscribed with; 0 where it was not."""
        return self._callbacks.get(topic, (None, 0))[1]

    def publish(self, name, message, qos=0, ms=60000, wait=False):
        """Sends message (str, bytes, bytearray or memoryview; 16 KB at most).

        With QoS 1 it is sent again, over reconnects too, until the PUBACK comes; NetworkError
        "network.unacknowledged" where that is not within ms milliseconds. wait: where the
        connection is down, or ends meanwhile, it waits until poll() has made it anew, however
        long that takes, and publishes then.
        """
        topic = self._topic(name, qos, False)
        if isinstance(message, str):
            message = message.encode()
        elif isinstance(message, memoryview):
            message = bytes(message)
        _check(isinstance(message, (bytes, bytearray)), "a message is str or bytes")
        _check(len(message) <= _LARGEST, "a message has 16384 bytes at most")
        while True:
            while wait and not self.connected:
                self.poll(1000)
            try:
                return _safe(self._publish, topic, message, qos, ms)
            except NetworkError as error:
                if not wait or self.connected:
                    raise
                log.warning("publish: %s [%s]; waiting" % (error, error.code))

    def _publish(self, topic, message, qos, ms):
        if qos:
            from . import acknowledged  # stays: who publishes so once does it again

            acknowledged.publish(self, topic, message, ms)
        else:
            self.whole(self._umqtt, "publish", topic.encode(), message)
            self.send()

    def _umqtt(self, name, *args):
        getattr(self._client, name)(*args)

    def poll(self, ms=0):
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect, daily time.

        All that is there already is taken, 64 packets at most beyond ms. A lost connection is
        tried again after 5 s and more, a refused login up to three times; what waiting does not
        mend (LoginError, CertificateError and the like) comes out. Longer than ms only where a
        reconnect or the daily time exchange is on its way.
        """
        _check(self.link or self._retry_at is not None, "not connected: call connect() first")
        end = port.ticks_add(port.ticks_ms(), ms)
        more = _MOST
        while True:
            took = False
            try:
                took = _safe(self._turn, max(0, port.ticks_diff(end, port.ticks_ms())))
            except DynregError as error:
                if error.code == "network.busy":
                    raise
                if self._retry_at is None:  # should lost() not get that far
                    self._retry_at = port.ticks_add(port.ticks_ms(), 5000)
                _safe(self.lost, error)
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                more -= 1
                if not took or not more:
                    return
            if not self.link and self._retry_at is None:
                return  # a callback has disconnected

    def _turn(self, ms):
        """One thing that is to be done within ms milliseconds; whether there may be more."""
        link = self.link
        took = False
        if self.connected and (self._calling or not self._inbox):
            took = link.busy or link.ready(min(ms, 1000))
            if took:
                self.receive()
        if self._inbox and not self._calling:
            self._call(*self._inbox.pop(0))
            took = True
        if self.connected:
            self._keep_alive()
        if took or self.connected:
            return took
        if link:
            raise NetworkError("network.closed", "the line broke meanwhile")
        now = port.ticks_ms()
        wait = port.ticks_diff(self._retry_at, now)  # pyright: ignore
        if wait > 0:
            port.pause(min(wait, ms, 1000))
        else:
            # Should connect() raise, the next try still keeps the cloud's 5 s.
            self._retry_at = port.ticks_add(now, 5000)
            self.connect()
        return False

    def disconnect(self):
        """DISCONNECT, then closes; poll() does not reconnect after that without connect().

        Waits for the broker to close first, 2 s at most: all that was published is there then,
        and power and radio may go.
        """
        link = self.link
        if self.connected:
            try:
                self.send(b"\xe0\0")
                link.close(_GOODBYE_MS)
            except Exception as error:
                log.warning("disconnect: %r" % error)
            log.info("disconnect: done")
        self.close()
        self._inbox = []
        self._retry_at = None

    def lost(self, error):
        """Closes; poll() tries again after a while. Raises error where that would not mend it."""
        if not error.retry:
            raise error
        # Negative after six days: long enough as well.
        if self.link and not 0 <= port.ticks_diff(port.ticks_ms(), self._since) <= _STABLE_MS:
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
        if self.refused and not 0 <= port.ticks_diff(now, self._asked) < _AGAIN_MS:
            self._restore(self.refused)
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
            self.whole(self._umqtt, "ping")
            self.send()
            self._pinged = now

    def _topic(self, name, qos=0, wild=True):
        """The whole topic; wild: whether it may be a filter (MQTT 3.1.1, 4.7). ConfigError."""
        try:
            if isinstance(name, bytes):
                name = name.decode()
            _check(isinstance(name, str) and name, "a topic is a str, or bytes in UTF-8")
            if "/" not in name and "$" not in name:
                name = "%s/%s" % (self.info.owner, name)
            _check(len(name.encode()) < 256, "a topic has 255 bytes at most")
        except ValueError:
            raise ConfigError("argument", "a topic is a str, or bytes in UTF-8") from None
        _check(name[0] != "/" and "\0" not in name, "a topic has no / in front and no NUL")
        if "+" in name or "#" in name:
            _check(wild, "a topic to publish to has no + and no #")
            levels = name.split("/")
            for level in levels:
                alone = level in ("+", "#") or not ("+" in level or "#" in level)
                _check(alone, "+ and # stand for whole levels")
            _check("#" not in levels[:-1], "# is the last level")
        _check(qos in (0, 1), "QoS is 0 or 1 here")
        return name

    def _arrived(self, topic, message, pid):
        """Puts a message where it waits for its callback."""
        ours = topic.startswith("$sys/operation/result/")
        if ours and isinstance(message, bytes):
            self.early = None  # its answer may have been this: a later question is a new one
            if self.on_time:
                self.on_time(message)
        if not isinstance(message, bytes):
            log.warning("message of %d bytes skipped on %s: no room for it" % (message, topic))
        elif len(self._inbox) >= _MOST:
            log.warning("message on %s skipped: %d wait for their callbacks" % (topic, _MOST))
        elif not ours or self._callback(topic):
            self._inbox.append((topic, message, pid, self.link))
            return
        self.acknowledge(pid, self.link)

    def _callback(self, topic):
        """What subscribe() got for this topic, or for a filter that takes it; None."""
        callback, _ = self._callbacks.get(topic, (None, 0))
        for pattern in self._callbacks:
            if not callback and _matches(pattern, topic):
                callback, _ = self._callbacks[pattern]
        return callback

    def _call(self, topic, message, pid, link):
        callback = self._callback(topic)
        self._calling = True
        try:
            if callback:
                callback(topic, message)
            else:
                log.warning("message on %s: nobody asked for it" % topic)
        except Exception as error:  # the application's fault must not end the session
            log.error("callback for %s: %r" % (topic, error))
        finally:
            self._calling = False
        self.acknowledge(pid, link)


def _safe(call, *args):
    """call(*args); NetworkError "network.board" for whatever is no DynregError."""
    try:
        return call(*args)
    except DynregError:
        raise
    except Exception as error:  # MemoryError, most of all
        raise NetworkError("network.board", "the board itself failed: %r" % error) from None


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
