"""The vendor SDK's names over dynreg.Device (docs/protocol.md, 9).

A program written for the vendor's sample keeps its calls: results are (0, …) or (-1, …),
callbacks come from a thread of their own. What fails is logged and told by the result, never
raised. dynreg.services.vendor, vendor_ota and vendor_explorer have more names (docs/services.md);
gateway and HTTP are not here.

The sample's `import logging`, time.strftime() and sys._getframe() are no part of MicroPython:
hub.compat brings them. threading and os.path are not to be had: _thread and os.stat() are.
"""

import gc
import json
import os
import sys

from dynreg import ConfigError, Device, DynregError, NetworkError, log, port
from dynreg.device import Endpoint

try:
    import _thread
    from _thread import get_ident
except ImportError:  # then callbacks run within the calls

    def get_ident():
        return 0

    _thread = None

_BOARD = sys.implementation.name == "micropython"
_FILE = "/device_info.json"
_STACK = 16384  # bytes: a TLS handshake on reconnect does not fit a thread's default on ESP32
_PUMP_MS = 20
_AGAIN_MS = 5000  # the cloud takes one login of a device in 5 s
_SILENT = 100  # above every level


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

    def _say(self, write, text, values):
        if self.enabled:
            write(text % values if values else text)

    def debug(self, text, *values):
        self._say(log.debug, text, values)

    def info(self, text, *values):
        self._say(log.info, text, values)

    def warning(self, text, *values):
        self._say(log.warning, text, values)

    def error(self, text, *values):
        self._say(log.error, text, values)

    warring = warning  # the vendor's spelling
    critical = error


class _Lock:
    """A lock that a callback may take again in the thread that holds it."""

    def __init__(self):
        self._lock = _thread.allocate_lock() if _thread else None
        self._owner = None
        self._depth = 0

    def __enter__(self):
        if self._lock and self._owner != get_ident():
            self._lock.acquire()
            self._owner = get_ident()
        self._depth += 1

    def __exit__(self, *error):
        self._depth -= 1
        if self._lock and not self._depth:
            self._owner = None
            self._lock.release()


calling = {}  # thread: the name of the callback that runs in it


def _vendor_line(name, text):
    now = port.unix_ms()
    ms = now % 1000
    print("%s,%03d.%03d [hub.py] - %s - %s" % (port.utc(now), ms, ms, name, text))


def _found(path):
    """path, or /device_info.json where a relative one leads nowhere on this board."""
    if path[:1] == "/":
        return path
    for name in (path, path + ".tmp"):  # a power cut may have left it under its temporary name
        try:
            os.stat(name)
            return path
        except OSError:
            pass
    log.warning("%s: not on this board, %s in its place" % (path, _FILE))
    return _FILE


def _endpoint(name, url, schemes, path, ca):
    """An Endpoint of "host", "host:port" or "scheme://host:port/path"; ConfigError.

    name: the argument's. schemes: each with its port, the default first. path: the only one.
    """
    schemes = schemes.split()
    if isinstance(url, str):
        if "://" not in url:
            url = "%s://%s" % (schemes[0], url)
        scheme, _, place = url.partition("://")
        place, _, rest = place.partition("/")
        host, mark, number = place.partition(":")
        if scheme in schemes[::2] and host and rest.rstrip("/") in ("", path):
            if not mark:
                number = schemes[schemes.index(scheme) + 1]
            if number.isdigit() and 0 < int(number) < 65536:
                return Endpoint(scheme, host, int(number), ca)
    raise ConfigError(
        "argument", "%s is no such URL: write %s://host/%s or host" % (name, schemes[0], path)
    )


class QcloudHub:
    """The vendor's QcloudHub. device_file: path of device_info.json; tls=False: plain MQTT.

    A relative device_file that is not on the board is /device_info.json. domain: another MQTT
    host. ConfigError where device_file or domain is wrong.
    """

    LoggerLevel = LoggerLevel
    StateError = DynregError  # for programs that catch it; nothing here raises it

    def __init__(self, device_file, userdata=None, tls=True, domain=None, useWebsocket=False):
        self.hub = self  # the sample asks for provider.hub
        self._logger = _Logger()
        self._userdata = userdata
        self._device = Device(_found(device_file))
        info = self._device.info
        if domain:
            schemes = "mqtts 8883" if tls else "mqtt 1883"
            info.mqtt = _endpoint("domain", domain, schemes, "", info.mqtt.ca)
        elif not tls and info.mqtt.secure:
            info.mqtt = Endpoint("mqtt", info.mqtt.host, 1883, info.mqtt.ca)
        if useWebsocket:
            log.warning("useWebsocket: MQTT over TLS in its place")
        self._callbacks = {}
        self._topics = {}
        self._keepalive = 60
        self._mid = 0
        self._lock = _Lock()
        self._runs = 0
        self._wanted = 0  # which run from connect() to disconnect() goes on; 0: none
        self._thread = 0  # the run that a thread takes care of
        self._turning = False
        self._again = None  # ticks_ms of the next login, where the session does not see to it
        self._failures = 0
        self._was_connected = False
        self._told = []  # (name, mid, …) of callbacks that are due

    def logInit(self, level, filePath=None, maxBytes=0, backupCount=0, enable=True):
        """A logger with debug, info, warning, error. No file: flash is not for logs.

        DEBUG adds a line for each message and request. enable=False: no line at all.
        """
        log.level = _LEVELS.get(level, log.INFO) if enable else _SILENT
        log.line = _vendor_line
        self._logger.enabled = enable
        return self._logger

    def dynregDevice(self, timeout=10, dynregDomain=None):
        """(0, device secret) or (-1, message). A stored secret is given back, never replaced.

        In certificate mode (0, "success"), as the vendor's. dynregDomain:
        "https://host/device/register" or a host. timeout is not used: it takes 30 s at most.
        """
        info = self._device.info
        try:
            if dynregDomain:
                info.gateway = _endpoint(
                    "dynregDomain",
                    dynregDomain,
                    "https 443 http 80",
                    "device/register",
                    info.gateway.ca,
                )
            with self._lock:
                self._device.register()
        except DynregError as error:
            return -1, str(error)
        except Exception as error:  # no memory, perhaps
            return -1, repr(error)
        return 0, info.credential if info.mode == "KEY" else "success"

    def registerMqttCallback(
        self, on_connect, on_disconnect, on_message, on_publish, on_subscribe, on_unsubscribe
    ):
        """What to call: on_connect(flags, rc, userdata), on_disconnect(rc, userdata),
        on_message(topic, payload, qos, userdata), on_publish(mid, userdata),
        on_subscribe(mid, granted_qos, userdata), on_unsubscribe(mid, userdata); None for nothing.

        payload: what the JSON says; other text as str; anything else as bytes. rc of
        on_disconnect: 0 after disconnect(), -1 where the connection was lost.
        """
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
        """Logs in; whether it did, isMqttConnected() says, as with the vendor's.

        0, or 1 where it is connected already. What may pass is tried again, by a thread of its
        own, until disconnect(); where trying ends, a line says so and connect() starts it again.
        """
        with self._lock:
            if self._connected() and self._wanted:
                return 1
            if not self._wanted:
                self._runs += 1
                self._wanted = self._runs
                self._failures = 0
            self._again = None
            if not self._connected():
                self._login()
            self._start_thread()
            self._notice()
        return 0

    def isMqttConnected(self):
        if not self._thread:
            self._turn()
        return self._connected()

    def getNtpAccurateTime(self):
        """The cloud's time in Unix milliseconds, -1 when none came; sets the board's clock."""
        try:
            with self._lock:
                self._session()
                return self._device.sync_clock()
        except Exception as error:
            self._failed("time", error)
            return -1

    def subscribe(self, topic, qos=0):
        """(0, mid) or (-1, mid). Messages come to on_message or the topic's own callback.

        topic: a text, (topic, qos) or a list of these.
        """
        wanted = topic if isinstance(topic, list) else [topic]
        wanted = [one if isinstance(one, tuple) else (one, qos) for one in wanted]

        def call(session):
            for name, level in wanted:
                session.subscribe(name, self._arrived, level)

        return self._do("subscribe", call, wanted, *(level for _, level in wanted[:1]))

    def unsubscribe(self, topic):
        """(0, mid) or (-1, mid). topic: a text or a list of them."""
        wanted = topic if isinstance(topic, list) else [topic]

        def call(session):
            for name in wanted:
                session.unsubscribe(name)

        return self._do("unsubscribe", call, wanted)

    def publish(self, topic, payload, qos):
        """(0, mid) or (-1, mid). payload goes out as JSON, a str too, as the vendor's does.

        Bytes go out as they are.
        """

        def call(session):
            message = payload
            if not isinstance(message, (bytes, bytearray)):
                try:
                    message = json.dumps(message)
                except (TypeError, ValueError, RuntimeError):
                    raise ConfigError("argument", "payload: JSON cannot say it") from None
            session.publish(topic, message, qos)

        return self._do("publish", call, topic)

    def disconnect(self):
        """Ends what connect() began; from within a callback too."""
        self._wanted = 0
        with self._lock:
            session = self._device.session
            try:
                if session:
                    session.disconnect()
            except Exception as error:  # whatever it was, the connection is to end
                log.warning("disconnect: %r" % error)
                session.close()
            self._notice(0)

    def _connected(self):
        session = self._device.session
        return bool(session and session.connected)

    def _session(self):
        """The session; NetworkError where none is connected."""
        if not self._connected():
            raise NetworkError("network.closed", "not connected")
        return self._device.session

    def _do(self, what, call, about, *more):
        self._mid += 1
        mid = self._mid
        log.debug("%s: %s, mid %d" % (what, about, mid))
        try:
            with self._lock:
                call(self._session())
        except Exception as error:
            self._failed(what, error)
            return -1, mid
        log.debug("%s success" % what)
        self._told.append((what, mid) + more)
        return 0, mid

    def _failed(self, what, error):
        """Says what failed; half a packet is never left on the line."""
        if isinstance(error, DynregError):
            log.error("%s failed: %s" % (what, error))
        else:
            with self._lock:
                self._lost(error)

    def _arrived(self, topic, message):
        log.debug("message on %s, %d bytes" % (topic, len(message)))
        payload = message
        try:
            payload = message.decode()
            payload = json.loads(payload)
        except Exception:  # no JSON, no text, nested too deep, no memory for it
            pass
        qos = self._device.session.granted(topic)
        own = self._topics.get(topic)
        if own:
            self._run("message", own, topic, qos, payload)
        else:
            self._call("message", topic, payload, qos)

    def _call(self, name, *values):
        callback = self._callbacks.get(name)
        if callback:
            self._run(name, callback, *values)

    def _run(self, name, callback, *values):
        thread = get_ident()
        before = calling.get(thread)
        name = "on_" + name
        calling[thread] = name
        try:
            callback(*values + (self._userdata,))
        except Exception as error:  # the program's fault must not end the session
            log.error("%s: %r" % (name, error))
        finally:
            calling[thread] = before
            if not before:
                del calling[thread]

    def _notice(self, rc=-1):
        """Tells the program what was done, and whether the connection came or went.

        rc: of on_disconnect. Not before the call that did it has given its mid to the program.
        """
        told, self._told = self._told, []
        for one in told:
            self._call(*one)
        connected = self._connected()
        if connected != self._was_connected:
            self._was_connected = connected
            if connected:
                self._call("connect", 0, 0)
            else:
                self._call("disconnect", rc)

    def _login(self):
        try:
            self._device.connect(self._keepalive)
            self._failures = 0
        except Exception as error:
            self._lost(error)

    def _lost(self, error):
        """Closes the connection; another login follows where error may pass. Never raises."""
        # First of all: what follows may find no memory.
        self._again = port.ticks_add(port.ticks_ms(), _AGAIN_MS)
        try:
            if self._device.session:
                self._device.session.close()
            if not self._wanted:
                return
            # What is no DynregError is of the moment too.
            if not getattr(error, "retry", True):
                self._wanted = 0
                log.error("connection ended: %s; connect() starts it again" % error)
                return
            self._failures += 1
            if not isinstance(error, DynregError):
                error = NetworkError("network.closed", repr(error))
            wait = max(_AGAIN_MS, port.step("connect.backoff", "wait_ms", self._failures, error))
            self._again = port.ticks_add(port.ticks_ms(), wait)
            log.error("connection lost: %s; again in %d s" % (error, wait // 1000))
        except Exception:
            gc.collect()

    def _turn(self):
        """What is due: messages, keep-alive, another login. No Exception comes out."""
        with self._lock:
            if self._turning or not self._wanted:
                return
            self._turning = True
            try:
                self._notice()
                if self._again is None:
                    self._device.session.poll(0)
                elif port.ticks_diff(self._again, port.ticks_ms()) <= 0:
                    self._again = None
                    self._login()
            except Exception as error:
                self._lost(error)
            finally:
                self._turning = False
            self._notice()

    def _start_thread(self):
        """From now on messages come in and a lost connection is made anew, until disconnect()."""
        if not _thread or not self._wanted or self._thread == self._wanted:
            return
        self._thread = self._wanted
        before = _thread.stack_size(_STACK) if _BOARD else 0
        try:
            _thread.start_new_thread(self._pump, (self._wanted,))
        except Exception as error:
            self._thread = 0
            log.error("no thread: %r; messages come in within isMqttConnected()" % error)
        finally:
            if _BOARD:
                _thread.stack_size(before)

    def _pump(self, run):
        fault = None
        try:
            while self._wanted == run:
                self._turn()
                port.sleep_ms(_PUMP_MS)
        except BaseException as error:  # sys.exit() in a callback
            fault = error
        with self._lock:
            if self._thread == run:
                self._thread = 0
            if fault is not None and self._wanted == run:
                self._wanted = 0
                if self._device.session:
                    self._device.session.close()
                log.error("the thread has ended: %r; connect() starts it again" % fault)
                self._notice()
