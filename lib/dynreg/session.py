"""umqtt.simple made dependable: login, time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT, PUBLISH, PINGREQ and DISCONNECT and reads the CONNACK; what it
does not do well (a SUBSCRIBE that does not block, reading without asserts) stands here.
"""

import json
import struct

from umqtt import simple

from . import clock, log, port, signing, trust
from .backoff import Backoff
from .errors import ConfigError, LoginError, NetworkError, ProtocolError
from .tls import Door

_ANSWER_MS = 10000  # for each of CONNACK with its handshake, SUBACK, time reply, PUBACK
_LARGEST = 16384  # bytes of one message, both ways (docs/protocol.md, 4)
_STABLE_MS = 60000
_PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP = 3, 4, 9, 11, 13
_REFUSALS = {
    1: "protocol version not taken",
    2: "client id not taken",
    3: "bad credentials",
    4: "bad user name or password",
    5: "not authorised",
}
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Session:
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo; secret: base64 text. keepalive: seconds, 0 to 900. connected, and tls
    ("verified-ca" or "plain") say how it stands.
    """

    def __init__(self, info, secret, keepalive=60):
        _check(0 <= keepalive <= 900, "the keep-alive has 0 to 900 seconds")
        self.info = info
        self.keepalive = keepalive
        self.connected = False
        self.tls = "verified-ca" if info.mqtt.secure else "plain"
        self._secret = secret
        self._callbacks = {}
        self._qos = {}
        self._client = None
        self._link = None
        self._pid = 0
        self._acks = {}
        self._time = ()  # (reply, ticks_ms when it came)
        self._backoff = Backoff()
        self._retry_at = None
        self._since = self._sent = self._heard = port.ticks_ms()
        self._pinged = None

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        info, mqtt = self.info, self.info.mqtt
        self.close()
        connid = "".join(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5))
        user, password = signing.login(info.client_id, self._secret, connid)
        self._client = simple.MQTTClient(
            info.client_id, mqtt.host, mqtt.port, user, password, self.keepalive
        )
        log.info("connect: %s" % mqtt)
        if not mqtt.secure:
            log.warning("connect: the connection is not encrypted, as device_info.json asks")
        ca = trust.Trust(mqtt.ca, trust.MQTT) if mqtt.secure else None
        door = Door(mqtt.host, mqtt.port, ca, _ANSWER_MS, limit=0)
        try:
            log.info("connect: CONNECT, clean session, keep-alive %d s" % self.keepalive)
            door.through(simple, self._login)
        except BaseException:
            door.close()
            raise
        self._link = door.link
        self.connected = True
        self._retry_at = self._pinged = None
        self._since = self._sent = self._heard = port.ticks_ms()
        log.info("connect: CONNACK 0, %s" % self.tls)
        for topic, qos in self._qos.items():
            self._wait_suback(self._ask(topic, qos), topic)

    def _login(self):
        try:
            self._client.connect()
        except simple.MQTTException as error:
            code = error.args[0]
            raise LoginError(
                "login.%d" % code,
                "the broker refuses the login: %s (CONNACK %d)"
                % (_REFUSALS.get(code, "unknown reason"), code),
            ) from None

    def sync_clock(self, ms=_ANSWER_MS):
        """Asks the cloud for the time and sets the clock; Unix milliseconds (docs/protocol.md, 6).

        NetworkError when no reply comes within ms; ProtocolError when it holds no time.
        """
        where = "%s/%s" % (self.info.product_id, self.info.device_name)
        topic = "$sys/operation/result/" + where
        log.info("time: SUBSCRIBE %s QoS 0" % topic)
        self._up()
        while self._link.ready(0):  # a reply to an earlier request must not pass for this one's
            self._receive()
        pid = self._ask(topic, 0)
        log.info("time: PUBLISH the request")
        self._time = ()
        self._client.publish("$sys/operation/" + where, b'{"type":"get","resource":["time"]}')
        self._flush()
        sent = port.ticks_ms()
        self._wait_suback(pid, topic)
        log.info("time: SUBACK")
        self._wait(lambda: self._time, ms, "no time from the cloud")
        reply, received = self._time  # pyright: ignore
        now = clock.exchange(reply, port.ticks_diff(received, sent))
        if now is None:
            raise ProtocolError("protocol.time", "the cloud's time reply holds no time")
        now += port.ticks_diff(port.ticks_ms(), received)
        if not port.set_rtc(now):
            log.warning("time: this platform has no clock to set")
        log.info("time: PUBLISH with the time, current time: %s" % clock.text(now))
        return now

    def subscribe(self, name, callback, qos=0):
        """Calls callback(topic: str, message: bytes) for each message, also after a reconnect.

        name: "control" stands for {productId}/{deviceName}/control; with a / or $ it is a whole
        topic. LoginError when the cloud does not grant it; its rights are set in the console.
        """
        topic = self._topic(name)
        _check(qos in (0, 1), "QoS is 0 or 1 here")
        self._wait_suback(self._ask(topic, qos), topic)
        self._callbacks[topic] = callback
        self._qos[topic] = qos

    def unsubscribe(self, name):
        """Ends what subscribe() began."""
        topic = self._topic(name)
        self._wait_suback(self._ask(topic, None), topic)
        self._callbacks.pop(topic, None)
        self._qos.pop(topic, None)

    def granted(self, topic):
        """The QoS that a whole topic was subscribed with; 0 where it was not."""
        return self._qos.get(topic, 0)

    def publish(self, name, message, qos=0):
        """Sends message (str or bytes, 16 KB at most); with QoS 1 waits for the PUBACK."""
        topic = self._topic(name)
        if isinstance(message, str):
            message = message.encode()
        _check(qos in (0, 1), "QoS is 0 or 1 here")
        _check(len(message) <= _LARGEST, "a message has 16384 bytes at most")
        self._up()
        if qos == 0:
            self._client.publish(topic.encode(), message)
            self._flush()
            return
        pid = self._next_pid()
        topic = topic.encode()
        head = b"\x32" + _length(2 + len(topic) + 2 + len(message))
        self._link.write(head + struct.pack("!H", len(topic)) + topic + struct.pack("!H", pid))
        self._link.write(message)
        self._flush()
        self._acks[pid] = None
        try:
            self._wait(lambda: self._acks[pid] is not None, _ANSWER_MS, "no PUBACK")
        finally:
            self._acks.pop(pid, None)

    def poll(self, ms=0):
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect.

        A lost connection is tried again after 5 s and more; LoginError, CertificateError and
        the like come out, since waiting mends none of them.
        """
        end = port.ticks_add(port.ticks_ms(), ms)
        while True:
            left = max(0, port.ticks_diff(end, port.ticks_ms()))
            try:
                if self.connected:
                    if self._link.ready(min(left, 1000)):
                        self._receive()
                    self._keep_alive()
                else:
                    self._reconnect(min(left, 1000))
            except (NetworkError, ProtocolError) as error:
                self._lost(error)
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

    def close(self):
        """Closes without a word."""
        link, self._link, self.connected = self._link, None, False
        if link:
            link.close()

    def _lost(self, error):
        if error.retry is False and not self.connected:
            raise error
        # Negative after six days: long enough as well.
        if self.connected and not 0 <= port.ticks_diff(port.ticks_ms(), self._since) <= _STABLE_MS:
            self._backoff.reset()
        self.close()
        wait = self._backoff.next()
        self._retry_at = port.ticks_add(port.ticks_ms(), wait)
        log.warning("connection lost: %s; again in %d s" % (error, wait // 1000))

    def _reconnect(self, ms):
        if self._retry_at is None:
            raise ConfigError("argument", "not connected: call connect() first")
        wait = port.ticks_diff(self._retry_at, port.ticks_ms())
        if wait > 0:
            port.sleep_ms(min(wait, ms))
        else:
            # Should connect() raise, the next try still keeps the cloud's 5 s.
            self._retry_at = port.ticks_add(port.ticks_ms(), 5000)
            self.connect()

    def _keep_alive(self):
        """PINGREQ at half the keep-alive; no answer within a whole one: the peer is dead."""
        if not self.keepalive:
            return
        now = port.ticks_ms()
        if self._pinged is not None:
            if port.ticks_diff(now, self._pinged) > self.keepalive * 1000:
                raise NetworkError("network.keepalive", "the broker does not answer pings")
        # Unheard of for half the time counts too: what we send may go nowhere.
        elif (
            max(port.ticks_diff(now, self._sent), port.ticks_diff(now, self._heard))
            >= self.keepalive * 500
        ):
            self._client.ping()
            self._flush()
            self._pinged = now

    def _up(self):
        if not self.connected:
            raise NetworkError("network.closed", "not connected")

    def _flush(self):
        self._link.within(_ANSWER_MS)
        self._link.flush()
        self._sent = port.ticks_ms()

    def _topic(self, name):
        if "/" not in name and "$" not in name:
            name = "%s/%s/%s" % (self.info.product_id, self.info.device_name, name)
        _check(0 < len(name.encode()) < 256, "a topic has 255 bytes at most")
        return name

    def _next_pid(self):
        self._pid = self._pid % 65535 + 1
        return self._pid

    def _ask(self, topic, qos):
        """Writes SUBSCRIBE (UNSUBSCRIBE for qos None), without waiting; the packet id."""
        self._up()
        pid = self._next_pid()
        topic = topic.encode()
        tail = b"" if qos is None else bytes((qos,))
        self._link.write(b"\xa2" if qos is None else b"\x82")
        self._link.write(_length(4 + len(topic) + len(tail)))
        self._link.write(struct.pack("!HH", pid, len(topic)) + topic + tail)
        self._acks[pid] = None
        return pid

    def _wait_suback(self, pid, topic):
        self._flush()
        try:
            self._wait(lambda: self._acks[pid] is not None, _ANSWER_MS, "no SUBACK")
            granted = self._acks[pid]
        finally:
            self._acks.pop(pid, None)
        if granted > 1:
            raise LoginError("subscribe.refused", "the broker does not grant %s" % topic)

    def _wait(self, done, ms, fault):
        end = port.ticks_add(port.ticks_ms(), ms)
        while not done():
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError("network.timeout", "%s after %d s" % (fault, ms // 1000))
            self._up()
            if self._link.ready(left):
                self._receive()

    def _receive(self):
        """Reads one packet and acts on it."""
        link = self._link
        link.within(_ANSWER_MS)
        head = link.read(1)[0]
        self._heard = port.ticks_ms()
        size = shift = 0
        while True:
            byte = link.read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 21:
                raise ProtocolError(
                    "protocol.mqtt", "the broker sends a malformed packet", retry=True
                )
        if size > _LARGEST + 300:
            log.warning("message of %d bytes skipped" % size)
            while size > 0:
                size -= len(link.read(min(size, 256)))
            return
        body = link.read(size)
        try:
            self._act(head, body)
        except (IndexError, ValueError):
            raise ProtocolError(
                "protocol.mqtt", "the broker sends a malformed packet", retry=True
            ) from None

    def _act(self, head, body):
        kind = head >> 4
        if kind == _PUBLISH:
            start = 2 + (body[0] << 8 | body[1])
            if len(body) < start + (2 if head & 6 else 0):
                raise ValueError
            topic = body[2:start].decode()
            if head & 6:
                acknowledge = b"\x40\x02" + body[start : start + 2]
                start += 2
                self._deliver(topic, body[start:])
                if self._link:
                    self._link.write(acknowledge)
                    self._flush()
            else:
                self._deliver(topic, body[start:])
        elif kind in (_PUBACK, _SUBACK, _UNSUBACK):
            pid = body[0] << 8 | body[1]
            if pid in self._acks:
                self._acks[pid] = body[2] if kind == _SUBACK else 0
        elif kind == _PINGRESP:
            self._pinged = None
        else:
            raise ValueError

    def _deliver(self, topic, message):
        if topic.startswith("$sys/operation/result/"):
            try:
                reply = json.loads(message)
            except ValueError:
                reply = None
            # The topic carries other services' answers too.
            if isinstance(reply, dict) and reply.get("type") == "get" and "time" in reply:
                self._time = (reply, port.ticks_ms())
                return
        callback = self._callbacks.get(topic)
        for pattern in self._callbacks:
            if not callback and _matches(pattern, topic):
                callback = self._callbacks[pattern]
        if not callback:
            log.warning("message on %s: nobody asked for it" % topic)
            return
        try:
            callback(topic, message)
        except Exception as error:  # the application's fault must not end the session
            log.error("callback for %s: %r" % (topic, error))


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


def _length(size):
    """MQTT's remaining length (MQTT 3.1.1, 2.2.3)."""
    out = b""
    while True:
        byte, size = size & 0x7F, size >> 7
        out += bytes((byte | 0x80 if size else byte,))
        if not size:
            return out
