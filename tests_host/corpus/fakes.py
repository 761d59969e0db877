"""What stands in for the world around dynreg, the same on CPython and on MicroPython.

replace() puts a stand-in anywhere; the runner takes all of them back after each test. Clock is
time that passes only when somebody waits. Peer and network() are the other end of a connection:
dynreg's own Wire runs on their socket, so each entry of Peer.segments is one send() of its.
"""

import errno
import json
import os
import sys

import canaries
import dynreg  # noqa: F401 (its submodules are looked up below)
from dynreg import credentials, link, log, port, record, tls, wire
from dynreg.errors import DynregError

MICROPYTHON = sys.implementation.name == "micropython"
ROOT = __file__.rsplit("/", 3)[0]
PRODUCT, NAME = "ABCDEFGHIJ", "dev-01"
NOW = 1767323045  # 2026-01-02 03:04:05 UTC
END = object()  # in a Peer's answers: it closes the connection

# Rooms stay loaded, so that the stand-ins put into them stay in place.
forget, port.forget = port.forget, lambda *names: None

_undo = []


def replace(owner, name, value):
    """Sets owner.name until the end of the test."""
    if hasattr(owner, name):
        old = getattr(owner, name)
        _undo.append(lambda: setattr(owner, name, old))
    else:
        _undo.append(lambda: delattr(owner, name))
    setattr(owner, name, value)


def module(name, stand_in):
    """Makes `import name` give stand_in until the end of the test; None: as if there were none."""
    old = sys.modules.pop(name, None)

    def undo():
        sys.modules.pop(name, None)
        if old:
            sys.modules[name] = old

    _undo.append(undo)
    if stand_in is not None:
        sys.modules[name] = stand_in
    elif not MICROPYTHON:
        sys.modules[name] = None


def fresh(name):
    """The module of dynreg with that name, imported anew, as after a reset."""
    package, _, attribute = name.rpartition(".")
    real = sys.modules.pop(name)

    def undo():
        sys.modules[name] = real
        setattr(sys.modules[package], attribute, real)

    _undo.append(undo)
    return __import__(name, None, None, ("__name__",))


def at_end(call):
    """Calls call() at the end of the test."""
    _undo.append(call)


def restore():
    """Takes back all that the test put in place; the runner calls it."""
    while _undo:
        _undo.pop()()


class Namespace:
    """An object with these attributes, to stand in for a module."""

    def __init__(self, **attributes):
        for name in attributes:
            setattr(self, name, attributes[name])


def raises(kind, call, *arguments, code=None, says=(), retry=None):
    """The exception that call raises, after printing all of it, so that no secret hides there.

    kind: exactly this class. code, retry: its own, where given. says: words its text must have.
    """
    try:
        call(*arguments)
    except Exception as error:
        print("raised:", repr(error), "|", str(error), "|", repr(error.args))
        if isinstance(error, DynregError):
            print("        ", error.code, error.cloud_code, error.request_id, error.retry)
        if type(error) is not kind:
            raise
        assert code is None or error.code == code, error.code
        assert retry is None or error.retry is retry, error.retry
        for word in (says,) if isinstance(says, str) else says:
            assert word in str(error), (word, str(error))
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def vectors():
    """vectors.json as a dict."""
    with open(ROOT + "/tests_host/vectors.json") as file:
        return json.loads(file.read())


def servers():
    """What tlsservers.py says of its servers; the collector starts them."""
    with open(os.getenv("CORPUS_SERVERS")) as file:
        return json.loads(file.read())


def log_lines():
    """A list that fills with (level's name, text) as dynreg logs; all is printed too."""
    lines = []

    def line(name, text):
        lines.append((name, text))
        print("log:", name, text)

    replace(log, "line", line)
    replace(log, "level", log.DEBUG)
    return lines


def random(*values):
    """port.random_bytes gives these, one a call, cut or filled with zeros; the last for ever."""
    left = list(values)

    def random_bytes(count):
        value = left.pop(0) if len(left) > 1 else left[0]
        return (value + bytes(count))[:count]

    replace(port, "random_bytes", random_bytes)


# --- time ---------------------------------------------------------------------------------------


class Clock:
    """Milliseconds that pass in sleep_ms() and in waits on the network alone.

    Ticks wrap as on a board, where 2**30 ms are 12 days; they start just before that. unix:
    milliseconds of the real-time clock when the Clock is made; None: not set, so 2000. Every
    setting is in `settings`.
    """

    _PERIOD = 1 << 30

    def __init__(self, unix=NOW * 1000, ticks=(1 << 30) - 3000):
        self.passed = 0
        self.slept = []
        self.settings = []
        self._ticks = ticks
        self._unix = 946684800000 if unix is None else unix
        for name in ("ticks_ms", "ticks_add", "ticks_diff", "sleep_ms", "unix_ms", "set_rtc"):
            replace(port, name, getattr(self, name))

    def ticks_ms(self):
        return (self._ticks + self.passed) % self._PERIOD

    def ticks_add(self, ticks, delta):
        return (ticks + delta) % self._PERIOD

    def ticks_diff(self, end, start):
        half = self._PERIOD // 2
        return (end - start + half) % self._PERIOD - half

    def sleep_ms(self, ms):
        self.slept.append(ms)
        self.passed += ms

    def unix_ms(self):
        return self._unix + self.passed

    def set_rtc(self, unix):
        self.settings.append(unix)
        self._unix = unix - self.passed
        return True


def ntp(answer):
    """ntptime.time() gives answer (seconds since the epoch in use) or raises it."""

    def time():
        if isinstance(answer, Exception):
            raise answer
        return answer

    module("ntptime", Namespace(time=time))


# --- the network --------------------------------------------------------------------------------


class Peer:
    """The other end of one connection.

    answers: one for each segment that it gets, sent back after `latency` ms: bytes; END; None
    for nothing; a function of the segment that gives one of these; a list of (ms, bytes or END).
    takes: how many bytes one send() takes at most. fault: the OSError of connect(), after
    `latency` ms.
    """

    def __init__(self, *answers, latency=0, takes=None, fault=None):
        self.segments = []
        self.address = self.met = None  # of connect(): where to, and when
        self.closed = 0
        self.broken = None  # the OSError that send() and recv() raise
        self.latency = latency
        self.takes = takes
        self.fault = fault
        self.clock = None
        self._answers = list(answers)
        self._coming = []  # [at, bytes or END], in order

    @property
    def sent(self):
        return b"".join(self.segments)

    def say(self, data, ms=0):
        """Sends data (or END) in ms milliseconds."""
        at = self.clock.passed + ms
        place = len([entry for entry in self._coming if entry[0] <= at])
        self._coming.insert(place, [at, data])

    def expect(self, *answers):
        """Adds answers to the segments to come."""
        self._answers.extend(answers)

    def got(self, segment):
        self.segments.append(segment)
        answer = self._answers.pop(0) if self._answers else None
        if callable(answer):
            answer = answer(segment)
        if answer is None:
            return
        for ms, data in answer if isinstance(answer, list) else [(0, answer)]:
            self.say(data, self.latency + ms)

    def due(self):
        """Milliseconds until there is something to read; None: never."""
        return max(0, self._coming[0][0] - self.clock.passed) if self._coming else None

    def take(self, size):
        if self.due() != 0:
            raise RuntimeError("recv() on a socket with nothing to read would wait for ever")
        at, data = self._coming[0]
        if data is END:
            return b""
        if len(data) > size:
            self._coming[0] = [at, data[size:]]
        else:
            self._coming.pop(0)
        return data[:size]


class _Socket:
    def __init__(self, peer):
        self._peer = peer
        self.timeouts = []

    def settimeout(self, seconds):
        assert seconds is None or seconds > 0, seconds
        self.timeouts.append(seconds)

    def setsockopt(self, *option):
        pass

    def connect(self, address):
        self._peer.address = address
        self._peer.met = self._peer.clock.passed
        if self._peer.fault:
            self._peer.clock.passed += self._peer.latency
            raise self._peer.fault

    def send(self, data):
        if self._peer.closed:
            raise OSError(9)  # EBADF
        if self._peer.broken:
            raise self._peer.broken
        data = bytes(data)[: self._peer.takes] if self._peer.takes else bytes(data)
        self._peer.got(data)
        return len(data)

    def recv(self, size):
        if self._peer.broken:
            raise self._peer.broken
        return self._peer.take(size)

    def close(self):
        self._peer.closed += 1


class _Poll:
    def __init__(self, clock):
        self._clock = clock

    def register(self, sock, flags):
        self._sock = sock

    def poll(self, ms):
        assert 0 <= ms < 1000000, ms
        if not isinstance(self._sock, _Socket):
            return []  # a stream that stands in for TLS, which holds nothing back
        peer = self._sock._peer
        due = 0 if peer.broken else peer.due()
        if due is not None and due <= ms:
            self._clock.passed += due
            return [(self._sock, 1)]
        self._clock.passed += ms
        return []


class _Network:
    """In the place of dynreg.tls's socket and select; the peers are met in their order."""

    SOCK_STREAM, AF_INET, POLLIN = 1, 2, 1

    def __init__(self, clock, peers):
        self._clock = clock
        self._left = list(peers)
        self.lookups = []
        self.sockets = []
        for peer in peers:
            peer.clock = clock

    def add(self, *peers):
        for peer in peers:
            peer.clock = self._clock
        self._left.extend(peers)

    def getaddrinfo(self, host, port_number, *hints):
        self.lookups.append((host, port_number))
        if host == "no.such.host":
            raise OSError(-2)
        return [(2, 1, 6, "", (host, port_number))]

    def socket(self, *hints):
        peer = self._left.pop(0) if self._left else Peer(fault=OSError(errno.ECONNREFUSED))
        peer.clock = self._clock
        self.sockets.append(_Socket(peer))
        return self.sockets[-1]

    def poll(self):
        return _Poll(self._clock)


def network(clock, *peers):
    """All connections lead to these peers, TLS left out: what TLS would carry is what they see."""
    net = _Network(clock, peers)
    replace(tls, "socket", net)
    replace(link, "select", net)
    replace(wire, "select", net)
    replace(port, "psk_context", lambda identity, key: None)
    replace(tls.Door, "handshake", lambda door, wire: wire)
    return net


# --- files --------------------------------------------------------------------------------------


def folder():
    """The path of a new folder, gone at the end of the test."""
    base = os.getenv("TMPDIR") or os.getenv("TEMP") or "/tmp"
    path = f"{base}/corpus-{int.from_bytes(os.urandom(6), 'big'):x}"
    os.mkdir(path)

    at_end(lambda: _remove(path))
    return path


def _remove(path):
    for name in os.listdir(path):
        try:
            os.remove(path + "/" + name)
        except OSError:  # a folder
            _remove(path + "/" + name)
    os.rmdir(path)


def write(path, data):
    """Writes str or bytes; the path."""
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path


def read(path):
    """The file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def files(path):
    """What lies in a folder and those below: bytes by path."""
    found = {}
    for name in os.listdir(path):
        inner = path + "/" + name
        try:
            found[inner] = read(inner)
        except OSError:  # a folder
            found.update(files(inner))
    return found


class Flash:
    """In the place of open and os in the rooms that write: records, lies and fails on demand.

    calls: what was done, in words, without folders; NVS's calls too, where nvs() got this Flash.
    """

    def __init__(self):
        self.calls = []
        self.lies = {}  # path: what reading it gives
        self.faults = {}  # call: the OSError it raises
        self.room = None  # the most bytes that one file takes
        self.read_only = False
        for room in (record, credentials):
            replace(room, "open", self._open)
            replace(room, "os", self)
        replace(port, "sync", self.sync)

    def call(self, *call):
        self.calls.append(" ".join(part.rsplit("/", 1)[-1] for part in call))
        if self.calls[-1] in self.faults:
            raise self.faults[self.calls[-1]]
        if self.read_only and call[0] in ("write", "rename", "remove", "mkdir"):
            raise OSError(30)  # EROFS

    def changes(self):
        """The calls but for those that only look."""
        return [call for call in self.calls if call.split(" ")[0] not in ("read", "stat")]

    def _open(self, path, mode="r"):
        self.call("write" if "w" in mode else "read", path)
        if "w" not in mode and path in self.lies:
            path = write(path + ".lie", self.lies[path])
        if self.room is None or "w" not in mode:
            return open(path, mode)
        return _Small(open(path, mode), self.room)

    def rename(self, old, new):
        self.call("rename", old, new)
        os.rename(old, new)

    def remove(self, path):
        self.call("remove", path)
        os.remove(path)

    def mkdir(self, path):
        self.call("mkdir", path)
        os.mkdir(path)

    def sync(self):
        self.call("sync")

    def stat(self, path):
        return os.stat(path)


class _Small:
    """A file on a flash that is nearly full."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, data):
        self._room -= len(data)
        if self._room < 0:
            raise OSError(28)  # ENOSPC
        return self._file.write(data)


class Nvs:
    """esp32.NVS and the partition behind it; what is not committed, no other handle sees.

    blobs: by "namespace/key". full: set_blob has no room. lie: what get_blob gives instead.
    """

    def __init__(self, flash=None):
        self.blobs = {}
        self.full = False
        self.dead = None  # the OSError of every call
        self.lie = None
        self._flash = flash

    def __call__(self, namespace):
        return _NvsHandle(self, namespace + "/")

    def call(self, what, key=""):
        if self.dead:
            raise self.dead
        if self._flash:
            self._flash.call("NVS " + what, *([key] if key else []))


class _NvsHandle:
    def __init__(self, nvs, prefix):
        nvs.call("open")
        self._nvs, self._prefix = nvs, prefix
        self._pending = {}

    def set_blob(self, key, data):
        assert len(key) <= 15, key
        self._nvs.call("set", key)
        if self._nvs.full:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        self._pending[self._prefix + key] = bytes(data)

    def get_blob(self, key, buffer):
        self._nvs.call("get", key)
        key = self._prefix + key
        data = self._pending.get(key, self._nvs.blobs.get(key))
        if data is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        if self._nvs.lie is not None:
            data = self._nvs.lie
        if len(data) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        self._nvs.call("erase", key)
        key = self._prefix + key
        if self._pending.pop(key, None) is None and key not in self._nvs.blobs:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        self._pending[key] = None

    def commit(self):
        self._nvs.call("commit")
        for key in self._pending:
            if self._pending[key] is None:
                self._nvs.blobs.pop(key, None)
            else:
                self._nvs.blobs[key] = self._pending[key]
        self._pending = {}


def nvs(flash=None):
    """A chip with NVS until the end of the test: its Nvs."""
    made = Nvs(flash)
    module("esp32", Namespace(NVS=made))
    return made


def values(**changes):
    """What a good device_info.json holds, with the canaries as secrets; None takes a key out."""
    good = {
        "auth_mode": "KEY",
        "productId": PRODUCT,
        "productSecret": canaries.PRODUCT_SECRET,
        "deviceName": NAME,
        "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
        "region": "china",
        "wifi": {"ssid": "bench", "password": canaries.WIFI_PASSWORD},
        "early": False,
    }
    good.update(changes)
    return {key: good[key] for key in good if good[key] is not None}


def device_info(**changes):
    """The path of a device_info.json with values(**changes), in a folder of its own."""
    return write(folder() + "/device_info.json", json.dumps(values(**changes)))
