"""The vendor SDK's names over dynreg.Device (docs/protocol.md, 9).

A program written for the vendor's sample keeps its calls: results are (0, …) or (-1, message),
callbacks come from a thread of their own. What a board lacks of the sample's world (the logging
module, time.strftime, sys._getframe) is not here either.
"""

import json
import sys

from dynreg import Device, DynregError, log, port
from dynreg.device import Endpoint

try:
    import _thread
except ImportError:  # then callbacks run within the calls
    _thread = None

_BOARD = sys.implementation.name == "micropython"
_STACK = 16384  # bytes: a TLS handshake on reconnect does not fit a thread's default on ESP32
_PUMP_MS = 20


class LoggerLevel:
    """What logInit() takes; the vendor's own texts, its spelling of one included."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warring"
    ERROR = "error"


_LEVELS = {
    LoggerLevel.DEBUG: log.DEBUG,
    LoggerLevel.INFO: log.INFO,
    LoggerLevel.WARNING: log.WARNING,
    LoggerLevel.ERROR: log.ERROR,
}


class _Logger:
    """debug, info, warning, error: as dynreg.log, once logInit() has switched it on."""

    enabled = False

    def debug(self, text):
        if self.enabled:
            log.debug(text)

    def info(self, text):
        if self.enabled:
            log.info(text)

    def warning(self, text):
        if self.enabled:
            log.warning(text)

    def error(self, text):
        if self.enabled:
            log.error(text)


class _Lock:
    """A lock that a callback may take again in the thread that holds it."""

    def __init__(self):
        self._lock = _thread.allocate_lock() if _thread else None
        self._owner = None
        self._depth = 0

    def __enter__(self):
        if self._lock and self._owner != _thread.get_ident():
            self._lock.acquire()
            self._owner = _thread.get_ident()
        self._depth += 1

    def __exit__(self, *error):
        self._depth -= 1
        if self._lock and not self._depth:
            self._owner = None
            self._lock.release()


def _vendor_line(name, text):
    now = port.unix_ms()
    ms = now % 1000
    print("%s,%03d.%03d [hub.py] - %s - %s" % (port.utc(now), ms, ms, name, text))


class QcloudHub:
    """The vendor's QcloudHub. device_file: path of device_info.json; tls=False: plain MQTT.

    domain: another MQTT host. ConfigError where device_file is wrong.
    """

    LoggerLevel = LoggerLevel

    def __init__(self, device_file, userdata=None, tls=True, domain=None, useWebsocket=False):
        self.hub = self  # the sample asks for provider.hub
        self._logger = _Logger()
        self._userdata = userdata
        self._device = Device(device_file)
        mqtt = self._device.info.mqtt
        if domain or not tls:
            scheme, number = ("mqtts", 8883) if tls else ("mqtt", 1883)
            self._device.info.mqtt = Endpoint(scheme, domain or mqtt.host, number, mqtt.ca)
        self._callbacks = {}
        self._topics = {}
        self._keepalive = 60
        self._mid = 0
        self._lock = _Lock()
        self._pumping = False
        self._was_connected = False

    def logInit(self, level, filePath=None, maxBytes=0, backupCount=0, enable=True):
        """A logger with debug, info, warning, error. No file: flash is not for logs."""
        log.level = _LEVELS.get(level, log.DEBUG)
        log.line = _vendor_line
        self._logger.enabled = enable
        return self._logger

    def dynregDevice(self, timeout=10, dynregDomain=None):
        """(0, device secret) or (-1, message). A stored secret is given back, never replaced."""
        info = self._device.info
        if dynregDomain:
            info.gateway = Endpoint("https", dynregDomain, 443, info.gateway.ca)
        try:
            with self._lock:
                self._device.register()
        except DynregError as error:
            return -1, str(error)
        return 0, info.credential

    def registerMqttCallback(
        self, on_connect, on_disconnect, on_message, on_publish, on_subscribe, on_unsubscribe
    ):
        self._callbacks = {
            "connect": on_connect,
            "disconnect": on_disconnect,
            "message": on_message,
            "publish": on_publish,
            "subscribe": on_subscribe,
            "unsubscribe": on_unsubscribe,
        }

    def registerUserCallback(self, topic, callback):
        """callback(topic, qos, payload, userdata) for this topic, in place of on_message."""
        self._topics[topic] = callback

    def setKeepaliveInterval(self, interval):
        """Seconds between life signs; counts from the next connect()."""
        self._keepalive = interval

    def getProductID(self):
        return self._device.info.product_id

    def getDeviceName(self):
        return self._device.info.device_name

    def connect(self):
        """Logs in; whether it did, isMqttConnected() says, as with the vendor's."""
        with self._lock:
            try:
                self._device.connect(self._keepalive)
            except DynregError as error:
                self._logger.error("connect failed: %s" % error)
                return
            self._notice()
        self._start_pump()

    def isMqttConnected(self):
        self._pump_once()
        session = self._device.session
        return bool(session and session.connected)

    def getNtpAccurateTime(self):
        """The cloud's time in Unix milliseconds, 0 when none came; sets the board's clock."""
        try:
            with self._lock:
                return self._device.sync_clock()
        except DynregError as error:
            self._logger.error("no time: %s" % error)
            return 0

    def subscribe(self, topic, qos):
        """(0, mid) or (-1, message). Messages come to on_message or the topic's own callback."""
        return self._do(
            "subscribe", lambda session: session.subscribe(topic, self._arrived, qos), qos
        )

    def unsubscribe(self, topic):
        return self._do("unsubscribe", lambda session: session.unsubscribe(topic))

    def publish(self, topic, payload, qos):
        """(0, mid) or (-1, message). payload: str, bytes, or what JSON can say."""
        if not isinstance(payload, (str, bytes)):
            payload = json.dumps(payload)
        return self._do("publish", lambda session: session.publish(topic, payload, qos))

    def disconnect(self):
        self._pumping = False
        with self._lock:
            if self._device.session:
                self._device.session.disconnect()
            self._notice()

    def _do(self, what, call, *more):
        session = self._device.session
        if not session:
            return -1, "not connected"
        try:
            with self._lock:
                call(session)
        except DynregError as error:
            self._logger.error("%s failed: %s" % (what, error))
            return -1, str(error)
        self._mid += 1
        self._logger.debug("%s success" % what)
        self._call(what, self._mid, *more)
        return 0, self._mid

    def _arrived(self, topic, message):
        try:
            payload = json.loads(message)
        except ValueError:
            payload = message.decode()
        qos = self._device.session.granted(topic)
        own = self._topics.get(topic)
        if own:
            own(topic, qos, payload, self._userdata)
        else:
            self._call("message", topic, payload, qos)

    def _call(self, name, *arguments):
        callback = self._callbacks.get(name)
        if callback:
            try:
                callback(*arguments + (self._userdata,))
            except Exception as error:  # the program's fault must not end the session
                self._logger.error("on_%s: %r" % (name, error))

    def _notice(self):
        """Tells the program when the connection came or went."""
        session = self._device.session
        connected = bool(session and session.connected)
        if connected != self._was_connected:
            self._was_connected = connected
            if connected:
                self._call("connect", 0, 0)
            else:
                self._call("disconnect", 0)

    def _pump_once(self):
        session = self._device.session
        if session and self._pumping:
            with self._lock:
                try:
                    session.poll(0)
                except DynregError as error:
                    self._logger.error("connection ended: %s" % error)
                    self._pumping = False
                self._notice()

    def _start_pump(self):
        """From now on messages come in and a lost connection is made anew, until disconnect()."""
        if self._pumping:
            return
        self._pumping = True
        if not _thread:
            return
        before = _thread.stack_size(_STACK) if _BOARD else 0
        _thread.start_new_thread(self._pump, ())
        if _BOARD:
            _thread.stack_size(before)

    def _pump(self):
        while self._pumping:
            self._pump_once()
            port.sleep_ms(_PUMP_MS)
