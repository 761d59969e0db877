"""umqtt.simple made dependable: login, time, subscribe, publish, poll, keep-alive, reconnect.

umqtt.simple writes CONNECT, PUBLISH, PINGREQ and DISCONNECT and reads the CONNACK; what it
does not do well stands in packets.py.
"""

import json

from umqtt import simple

from . import clock, log, port, signing, trust
from .backoff import Backoff
from .errors import ConfigError, LoginError, NetworkError, ProtocolError
from .packets import ANSWER_MS, LARGEST, Packets
from .tls import Door

_STABLE_MS = 60000
_REFUSALS = {
    1: "protocol version not taken",
    2: "client id not taken",
    3: "bad credentials",
    4: "bad user name or password",
    5: "not authorised",
}
_ADVICE = (
    "is the device disabled in the console? If it was deleted there, erase its credential with "
    "Device.forget(confirm=product id) and reset"
)
_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Session(Packets):
    """One device's life on the broker. Device.connect() makes it.

    info: DeviceInfo with its credential. keepalive: seconds, 0 to 900. connected, and tls
    ("verified-ca" or "plain") say how it stands; refusals counts the logins refused in a row.
    """

    MOST_REFUSALS = 3  # then a person must look

    def __init__(self, info, keepalive=60):
        _check(0 <= keepalive <= 900, "the keep-alive has 0 to 900 seconds")
        super().__init__()
        self.info = info
        self.keepalive = keepalive
        self.tls = "verified-ca" if info.mqtt.secure else "plain"
        self._callbacks = {}
        self._qos = {}
        self._client = None
        self.refusals = 0
        self._time = ()  # (reply, ticks_ms when it came)
        self._backoff = Backoff()
        self._retry_at = None
        self._since = port.ticks_ms()

    def connect(self):
        """Logs in, with a fresh user name each time, and subscribes again to what was asked for.

        LoginError: the broker's refusal. NetworkError, CertificateError, ProtocolError.
        """
        info, mqtt = self.info, self.info.mqtt
        self.close()
        connid = "".join(_ALPHANUMERIC[b % 62] for b in port.random_bytes(5))
        # A certificate has proved who we are by then: the password is not looked at.
        by_key = info.mode == "KEY"
        secret = info.credential if by_key else ""
        user, password = signing.login(info.client_id, secret, connid)
        self._client = simple.MQTTClient(
            info.client_id, mqtt.host, mqtt.port, user, password, self.keepalive
        )
        log.info("connect: %s" % mqtt)
        if not mqtt.secure:
            log.warning("connect: the connection is not encrypted, as device_info.json asks")
        ca = trust.Trust(mqtt.ca, trust.MQTT) if mqtt.secure else None
        identity = None if by_key else info.credential
        door = Door(mqtt.host, mqtt.port, ca, ANSWER_MS, 0, identity)
        try:
            log.info("connect: CONNECT, clean session, keep-alive %d s" % self.keepalive)
            door.through(simple, self._login)
        except BaseException:
            door.close()
            raise
        self._open(door.link)
        self.refusals = 0
        self._retry_at = None
        self._since = port.ticks_ms()
        log.info("connect: CONNACK 0, %s" % self.tls)
        for topic, qos in self._qos.items():
            self._wait_suback(self._ask(topic, qos), topic)

    def _login(self):
        try:
            self._client.connect()
        except simple.MQTTException as error:
            code = error.args[0]
            self.refusals += 1
            text = "the broker refuses the login: %s (CONNACK %d)" % (
                _REFUSALS.get(code, "unknown reason"),
                code,
            )
            if self.given_up:
                text = "%s, %d times: %s" % (text, self.refusals, _ADVICE)
            raise LoginError("login.%d" % code, text) from None

    def sync_clock(self, ms=ANSWER_MS):
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
        _check(len(message) <= LARGEST, "a message has 16384 bytes at most")
        self._up()
        if qos == 0:
            self._client.publish(topic.encode(), message)
            self._flush()
            return
        self._publish_qos1(topic, message)

    def poll(self, ms=0):
        """Spends ms milliseconds on what comes in: callbacks, keep-alive, reconnect.

        A lost connection is tried again after 5 s and more, a refused login up to three times;
        then LoginError comes out, as CertificateError and the like do at once: waiting does not
        mend them.
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
            except LoginError as error:
                if self.given_up:
                    raise
                self._again(error)
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

    @property
    def given_up(self):
        """Whether trying again is pointless: refused three times, or not at the login."""
        return not 0 < self.refusals < self.MOST_REFUSALS

    def _lost(self, error):
        if error.retry is False and not self.connected:
            raise error
        # Negative after six days: long enough as well.
        if self.connected and not 0 <= port.ticks_diff(port.ticks_ms(), self._since) <= _STABLE_MS:
            self._backoff.reset()
        self._again(error)

    def _again(self, error):
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

    def _topic(self, name):
        if "/" not in name and "$" not in name:
            name = "%s/%s/%s" % (self.info.product_id, self.info.device_name, name)
        _check(0 < len(name.encode()) < 256, "a topic has 255 bytes at most")
        return name

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
