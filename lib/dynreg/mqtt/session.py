"""An MQTT 3.1.1 session: time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT and reads the CONNACK (connect/login.py); all the rest is ours. One
module, since each that stays loaded costs memory of its own.
"""

from micropython import const

from .. import log, port
from ..errors import ConfigError, DynregError, LoginError, NetworkError, ProtocolError

_ANSWER_MS = const(10000)  # for each of SUBACK, PUBACK, UNSUBACK, the time reply
_LARGEST = const(16384)  # bytes of one message, both ways (docs/protocol.md, 4)
_SMALL = const(256)  # bytes that are there, whatever the heap looks like
_SPARE = const(2048)  # bytes that reading a message needs besides the message
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_UNSUBACK = const(11)
_PINGRESP = const(13)
_DAY_MS = const(86400000)
_TRIES = const(3)  # to have the daily time, within poll()
_AGAIN_MS = const(900000)  # until what was refused on a reconnect is asked for again
_GOODBYE_MS = const(2000)  # for the broker to close after DISCONNECT
_MOST = const(64)  # messages that wait for their callback, and that poll() takes beyond its time


class Packets:
    """Writes and reads packets; _deliver(topic, message, pid) gets what was published."""

    link: "Link"  # noqa: F821  # pyright: ignore[reportUndefinedVariable] (of connect/link.py)

    def __init__(self):
        self.link = None  # pyright: ignore
        self.acks = {}  # packet id: what its acknowledgement said, None before it came
        self._pid = 0

    @property
    def connected(self):
        """Whether the connection stands, as far as is known."""
        return bool(self.link and not self.link.broken)

    def close(self):
        """Closes at once, without DISCONNECT; what was sent may be lost."""
        link, self.link = self.link, None  # pyright: ignore
        if link:
            link.close()

    def send(self, *parts):
        """Writes a packet and sends all that was gathered; ticks_ms then. NetworkError.

        ConfigError "busy" in the middle of another packet.
        """
        if not self.connected:
            raise NetworkError("network.closed", "not connected")
        with self.link as link:
            for part in parts:
                link.write(part)
            link.flush()
        self._sent = port.ticks_ms()
        return self._sent

    def next_pid(self):
        """A packet id whose acknowledgement acks is to note."""
        self._pid = self._pid % 65535 + 1
        self.acks[self._pid] = None
        return self._pid

    def wait_suback(self, pid, topic):
        """NetworkError where none comes, LoginError where it says that topic is not granted."""
        granted = self.wait_ack(pid, "SUBACK")
        if granted > 1:
            raise LoginError("subscribe.refused", "the broker does not grant %s" % topic)

    def wait_ack(self, pid, name):
        """What the acknowledgement of pid says; NetworkError where none comes in time."""
        acks = self.acks  # of this connection: the next one has its own
        try:
            if not self.wait(lambda: acks[pid] is not None, _ANSWER_MS):
                raise NetworkError("network.timeout", "no %s after 10 s" % name)
            return acks[pid]
        finally:
            acks.pop(pid, None)

    def wait(self, done, ms):
        """Reads packets until done() says so; False where that is not within ms milliseconds."""
        link = self.link
        end = port.ticks_add(port.ticks_ms(), ms)
        while not done():
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                return False
            if not self.connected or self.link is not link:
                raise NetworkError("network.closed", "not connected")
            if link.ready(left):
                self.receive()
        return True

    def receive(self):
        """Reads one packet and acts on it."""
        try:
            with self.link as link:
                found = self._read(link.read)
        except (IndexError, ValueError):
            raise ProtocolError(
                "protocol.mqtt", "the broker sends a malformed packet", retry=True
            ) from None
        if found:
            self._deliver(*found)

    def acknowledge(self, pid, link):
        """PUBACK, where pid says that one is due and its connection still stands."""
        if pid and self.connected and link is self.link:
            self.send(b"\x40\x02" + pid)

    def _read(self, read):
        """A message as (topic, message, packet id or b""); None for every other packet.

        A message that does not fit is read past, and is None. It is acknowledged all the same:
        else it comes for ever.
        """
        head = read(1)[0]
        self._heard = port.ticks_ms()
        self._pinged = None  # whatever it is, the broker lives
        kind = head >> 4
        size = shift = 0
        byte = 0x80
        while byte & 0x80:
            if shift > 21:
                raise ValueError
            byte = read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
        if kind != _PUBLISH:
            if size > _SMALL:
                raise ValueError
            data = read(size)
            if kind in (_PUBACK, _SUBACK, _UNSUBACK):
                pid = data[0] << 8 | data[1]
                answer = data[2] if kind == _SUBACK else 0
                if pid in self.acks:
                    self.acks[pid] = answer
            elif kind != _PINGRESP:
                raise ValueError
            return None
        if head & 4 or size < 2:  # QoS 2 is never granted, QoS 3 does not exist
            raise ValueError
        count = int.from_bytes(read(2), "big")
        left = size - 2 - count - (head & 2)
        if left < 0:
            raise ValueError
        fits = left <= _LARGEST and count < 256
        if fits and left > _SMALL:
            # Here, where nothing of it is read yet, with what TLS needs to read it. As bytes: of a
            # bytearray a stale pointer stayed on the stack of a 32-bit build, and kept it.
            try:
                bytes(left + _SPARE)
            except MemoryError:
                fits = False
        topic = read(count).decode() if count < 256 else self._skip(count)
        pid = read(2) if head & 2 else b""
        if fits:
            return topic, read(left), pid
        self._skip(left)
        log.warning("message of %d bytes skipped on %s: no room" % (size, topic))
        return topic, None, pid

    def _skip(self, size):
        while size > 0:
            self.link.within(_ANSWER_MS)
            size -= len(self.link.read(min(size, 256)))

    def _deliver(self, topic, message, pid):
        """What to do with a message, None for one that was read past; Session knows."""


class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. connected, and tls ("psk",
    "verified-ca" or "plain") say how it stands; refused: the topics that the broker no longer
    granted on the last reconnect, asked for again every 15 minutes; within: by how many
    milliseconds the clock was off at most when the cloud's time set it; None before, and from the
    day after on until it is set again.

    Callbacks run within poll() alone, one after the other, and may call whatever is here: what
    arrives meanwhile waits for its turn. Nothing but a DynregError comes out of any call, besides
    KeyboardInterrupt and its like.
    """

    # history: notes.read()'s. login: connection.login() for a connection made anew.
    def __init__(self, info, keepalive, history, login):
        if not 0 <= keepalive <= 900:
            raise ConfigError("argument", "the keep-alive has 0 to 900 seconds")
        super().__init__()
        self.info = info
        self.keepalive = keepalive
        self.history = history
        self.login = login
        self.tls = None
        self.within = None
        self.attempts = 0  # how often poll() may still ask for a better time
        self.callbacks = {}  # topic: (callback, qos)
        self.refused = []
        self.inbox = []  # (topic, message, packet id, link) before its callback; None within it
        self.failures = 0
        self.retry_at = None  # pyright: ignore
        self._synced = None

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        self.close()
        self.attach(*_safe(self.login))

    def attach(self, link, tls, early=None):
        """Goes on with a login, as connection.login() gives it."""
        self.link = link
        self.tls = tls
        self.early = early  # a time request on its way: see timesync.sync()
        # (message, ticks_ms then) that came on the time's topic last; False where that was taken,
        # None before, when the topic may not be subscribed to.
        self.reply = None
        self.acks = {}
        self._pinged = None
        self.since = self.asked = self._sent = self._heard = port.ticks_ms()
        if early:
            self.acks[early[0]] = None
        if self.callbacks:
            _safe(port.step, "mqtt.acknowledged", "restore", self, self.callbacks)
        self.retry_at = None
        self._keep_notes()

    def sync_clock(self, ms=_ANSWER_MS):
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        poll() makes it better where the round trip was long, and does so again once a day.
        NetworkError when no reply comes within ms; ProtocolError when it holds no time, and at
        once where none came at the boot before: poll() then asks meanwhile.
        """
        self._synced = port.ticks_ms()
        try:
            return _safe(port.step, "mqtt.timesync", "sync", self, ms)
        finally:
            self._keep_notes()

    def _keep_notes(self):
        if self.history["changed"]:
            _safe(port.step, "storage.notes", "write", self.info.path, self.history)

    def subscribe(self, name, callback, qos=0):
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic or filter. LoginError when the cloud does not grant it; its rights are set in the
        console.
        """
        _safe(port.step, "mqtt.acknowledged", "subscribe", self, name, callback, qos)

    def unsubscribe(self, name):
        """Ends what subscribe() began; NetworkError where no UNSUBACK comes within 10 s."""
        _safe(port.step, "mqtt.acknowledged", "unsubscribe", self, name)

    def granted(self, topic):
        """The QoS that a whole topic was subscribed with; 0 where it was not."""
        return self.callbacks.get(topic, (None, 0))[1]

    def publish(self, name, message, qos=0, ms=60000, wait=False):
        """Sends message (str, bytes, bytearray or memoryview; 16 KB at most).

        With QoS 1 it is sent again, over reconnects too, until the PUBACK comes; NetworkError
        "network.unacknowledged" where that is not within ms milliseconds. wait: where the
        connection is down, or ends meanwhile, it waits until poll() has made it anew, however
        long that takes (ms is no limit then), and publishes.
        """
        _safe(_publish, self, name, message, qos, ms, wait)

    def poll(self, ms=0):
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect, daily time.

        All that is there already is taken, 64 packets at most beyond ms. A lost connection is
        tried again after 5 s and more; what takes longer to pass, a refusal or a certificate that
        is not the cloud's, every 15 to 60 minutes. What only a person can mend on the board
        (ConfigError) comes out. Longer than ms only where a reconnect or the daily time exchange
        is on its way.
        """
        if not self.link and self.retry_at is None:
            raise ConfigError("argument", "not connected: call connect() first")
        end = port.ticks_add(port.ticks_ms(), ms)
        more = _MOST
        while self.link or self.retry_at is not None:  # else a callback has disconnected
            took = False
            try:
                took = _safe(self._turn, max(0, port.ticks_diff(end, port.ticks_ms())))
            except DynregError as error:
                _safe(port.step, "connect.backoff", "lost", self, error)
            if port.ticks_diff(end, port.ticks_ms()) <= 0:
                more -= 1
                if not (took and more):
                    return

    def _turn(self, ms):
        """One thing that is to be done within ms milliseconds; whether there may be more."""
        inbox, link = self.inbox, self.link
        took = False
        if not (inbox and inbox[0]):
            if self.connected:
                if self.attempts and (self.reply or not (self.early or link.ready(0))):
                    try:
                        _safe(port.step, "mqtt.refine", "turn", self)
                        self._keep_notes()
                    except DynregError as error:
                        self.attempts -= 1
                        log.warning("time: not set anew: %s" % error)
                    return True
                took = link.ready(min(ms, 1000))
                if took:
                    self.receive()
            elif link:
                raise NetworkError("network.closed", "the line broke meanwhile")
            else:
                now = port.ticks_ms()
                wait = port.ticks_diff(self.retry_at, now)  # pyright: ignore
                if wait > 0:
                    port.pause(min(wait, ms, 1000))
                else:
                    # Should connect() raise, the next try still keeps the cloud's 5 s.
                    self.retry_at = port.ticks_add(now, 5000)
                    self.connect()
        if inbox and inbox[0]:
            topic, message, pid, link = inbox[0]
            inbox[0] = None
            took = True
            try:
                callback = self._callback(topic)
                if callback:
                    callback(topic, message)
                else:
                    log.warning("message on %s: nobody asked for it" % topic)
            except Exception as error:  # the application's fault must not end the session
                log.error("callback for %s: %r" % (topic, error))
            finally:
                inbox.pop(0)
            self.acknowledge(pid, link)
        if self.connected:
            self._keep_alive()
        return took

    def disconnect(self):
        """DISCONNECT, then closes; poll() does not reconnect after that without connect().

        Waits for the broker to close first, 2 s at most: all that was published is there then,
        and power and radio may go.
        """
        if self.connected:
            try:
                self.send(b"\xe0\0")
                self.link.close(_GOODBYE_MS)
            except Exception:  # whatever it is, this is the end
                pass
            log.info("disconnect: done")
        self.close()
        self.retry_at = None

    def _keep_alive(self):
        """PINGREQ at half the keep-alive; no answer within a whole one: the peer is dead."""
        now = port.ticks_ms()
        if self._synced is not None and not 0 <= port.ticks_diff(now, self._synced) < _DAY_MS:
            self._synced = now
            self.early = self.within = None
            self.attempts = _TRIES
        if self.refused and not 0 <= port.ticks_diff(now, self.asked) < _AGAIN_MS:
            port.step("mqtt.acknowledged", "restore", self, self.refused)
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
            self.send(b"\xc0\0")
            self._pinged = now

    def _deliver(self, topic, message, pid):
        """Puts a message where it waits for its callback."""
        if message is not None:
            ours = topic.startswith("$sys/operation/result/")
            if ours:
                self.reply = message, self._heard
            if len(self.inbox) > _MOST:
                log.warning("message on %s skipped: 64 wait for their callbacks" % topic)
            elif not ours or self._callback(topic):
                self.inbox.append((topic, message, pid, self.link))
                return
        self.acknowledge(pid, self.link)

    def _callback(self, topic):
        """What subscribe() got for this topic, or for a filter that takes it; None."""
        callback, _ = self.callbacks.get(topic, (None, 0))
        for pattern in self.callbacks:
            if not callback and _matches(pattern, topic):
                callback, _ = self.callbacks[pattern]
        return callback


def _publish(*args):
    from . import acknowledged  # stays: who publishes once does it again

    acknowledged.publish(*args)


def _safe(call, *args):
    """call(*args); DynregError for whatever is none: MemoryError, most of all."""
    try:
        return call(*args)
    except DynregError:
        raise
    except Exception as error:
        raise DynregError("memory", repr(error), True) from None


def _matches(name, topic):
    """Whether a filter with + or # takes the topic (MQTT 3.1.1, 4.7.1)."""
    ours, theirs = name.split("/"), topic.split("/")
    for i, level in enumerate(ours):
        if level == "#":
            return True
        if i >= len(theirs) or level not in ("+", theirs[i]):
            return False
    return len(ours) == len(theirs)
