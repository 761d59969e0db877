"""What comes of updates and configurations: messages, a file's server, bundles; good and bad."""

import hashlib
import json
import sys
from binascii import crc32, hexlify

import brokers
import fakes
import jsontext
import packets
from dynreg import port
from dynreg.device import Endpoint
from dynreg.errors import NetworkError, StorageError
from dynreg.services import ota
from dynreg.services.config import Config
from dynreg.services.ota import download, unpack
from judge import Peer, capture_log, expect, finish, judged, logged, tried
from mutations import mutated

_OWN = "/ABCDEFGHIJ/dev-01"
_UPDATE, _CONFIG = "$ota/update" + _OWN, "$config/operation/result" + _OWN
# What no message may make of a service: these are faults of ours, logged by the session.
_OURS = ("AttributeError", "IndexError", "NameError")
_OFFER = (
    (b"type", b'"update_firmware"'),
    (b"version", b'"1.1"'),
    (b"url", b'"https://files.test/1"'),
    (b"md5sum", b'"00000000000000000000000000000000"'),
    (b"file_size", b"100"),
)
_CONFIGURATIONS = (
    ((b"type", b'"reply"'), (b"result", b"0"), (b"payload", b'{"period":5}')),
    ((b"type", b'"push"'), (b"payload", b'{"period":6}')),
    ((b"type", b'"reply"'), (b"result", b"1001"), (b"payload", b"{}")),
)
_MOST_MS = 60000


def _some(source, goods):
    """Up to eight messages."""
    found = []
    for _ in range(1 + source.below(8)):
        message = jsontext.changed(source, source.one_of(goods))
        if source.chance(4):
            message = mutated(source, message)
        found.append((jsontext.value(source) if source.chance(8) else message)[:16384])
    return found


def _session():
    """(clock, network, broker, session) after the login."""
    capture_log()
    clock = fakes.Clock()
    broker = brokers.Broker(())
    net = fakes.network(clock, broker)
    session = brokers.new_session()
    _, error = tried(session.connect)
    expect(not error, "a good broker is not taken")
    return clock, net, broker, session


def _ended(clock, net, session, count):
    for name in _OURS:
        expect(not logged(name), "a service trips over a message: " + name)
    session.disconnect()
    finish(net, clock, count * 7000 + _MOST_MS)


# --- remote configurations ----------------------------------------------------------------------


def some_configurations(source):
    return _some(source, _CONFIGURATIONS)


def run_config(messages):
    """A Config gets these; what is kept is what was told last."""
    clock, net, broker, session = _session()
    told = []
    path = fakes.folder() + "/remote.config"
    config = Config(session, told.append, path)
    for message in messages:
        tried(config.poll)
        broker.say(packets.publish(_CONFIG, message))
        tried(session.poll, 1000)
        expect(session.connected, "a message has ended the connection")
    expect(all(isinstance(value, dict) for value in told), "a handler got what is no dict")
    expect(config.value == (told[-1] if told else None), "another value than the program has")
    expect(Config(session, None, path).value == config.value, "another value is kept")
    judged(told)
    _ended(clock, net, session, len(messages))


# --- announcements of updates -------------------------------------------------------------------


def some_offers(source):
    return _some(source, (_OFFER,))


def run_updater(messages):
    """An Updater gets these; what it keeps is what a boot stub and a download can take."""
    clock, net, broker, session = _session()
    kept = []
    before = port.step

    def step(module, name, *arguments):
        if name == "replace":
            path, data = arguments
            expect(path == "/ota.state", "another file is written: " + path)
            expect(int(data[:8], 16) == crc32(data[8:]), "the state has another CRC")
            kept.append(json.loads(data[8:]))
            return None
        if name == "fetch":
            raise NetworkError("network.connect", "no server")
        return before(module, name, *arguments)

    fakes.replace(port, "step", step)
    fakes.replace(ota, "_read", dict)
    updater = ota.Updater(session)
    for message in messages:
        tried(updater.poll)
        broker.say(packets.publish(_UPDATE, message))
        tried(session.poll, 6000)
        tried(updater.poll)
        tried(session.poll, 6000)
    for state in kept:
        expect(state["run"] == "a" and "back" not in state, "another program is to run")
        job = state.get("job")
        if job:
            expect(0 < len(job["version"]) < 33, "a version that is none")
            expect(isinstance(job["file_size"], int), "a size that is none")
    judged(kept)
    _ended(clock, net, session, len(messages) * 3 + 20)


# --- the file's server --------------------------------------------------------------------------

_FILE = bytes(range(256)) * 8
_HEAD = b"HTTP/1.1 206 X\r\nContent-Range: bytes 0-2047/2048\r\nContent-Length: 2048\r\n\r\n"
_HEADS = (
    _HEAD,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2048\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + _HEAD,
    b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n",
    b"HTTP/1.1 503 X\r\nRetry-After: 5\r\n\r\n",
    b"HTTP/1.0 206 X\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
)


def some_replies(source):
    """What two connections answer to a request each."""
    found = []
    for _ in range(2):
        head = source.one_of(_HEADS)
        if not source.chance(4):
            head = mutated(source, head, _HEADS)
        body = mutated(source, _FILE) if source.chance(3) else _FILE
        found.append((head + body, source.chance(2)))
    return found


class _Sink:
    """A file in memory."""

    data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seek(self, *_):
        return len(self.data)

    def write(self, data):
        self.data += data

    def flush(self):
        pass


def run_download(answers):
    """A file is fetched from this server, twice; it never grows beyond what was told."""
    capture_log()
    clock = fakes.Clock()
    peers = [Peer([(0, data), (1, fakes.END)] if ends else data) for data, ends in answers]
    fakes.network(clock, *peers, *(Peer(fault=OSError(111)) for _ in range(8)))
    gateway = Endpoint("http", "gateway.test", 80)
    info = fakes.Namespace(gateway=gateway, date=gateway)
    session = fakes.Namespace(info=info, history={"day": 0})
    job = {"url": "http://files.test/1", "file_size": len(_FILE)}
    sink = _Sink()
    for _ in answers:
        tried(download.fetch, session, job, 30000, sink)
        expect(len(sink.data) <= len(_FILE), "more bytes than the file has")
    for peer in peers:
        expect(peer.closed or not peer.segments, "a socket stays open")
    finish()
    expect(clock.passed < 200000, "more time went by than is allowed")


# --- bundles ------------------------------------------------------------------------------------

_MPY = getattr(sys.implementation, "_mpy", 6) & 255


def _bundle():
    files = (("main.mpy", b"M\x06" + bytes(300)), ("web/page.html", b"<p>"))
    head = {"dynreg": 1, "version": "1.1", "mpy": _MPY, "boots": 3, "seconds": 60, "files": 2}
    data = json.dumps(head).encode() + b"\n"
    for path, content in files:
        digest = hexlify(hashlib.sha256(content).digest()).decode()
        data += json.dumps([path, len(content), digest]).encode() + b"\n" + content
    return data


_BUNDLE = _bundle()


def a_bundle(source):
    """The lines of a bundle may become any JSON, its bytes any others."""
    data = _BUNDLE
    if source.chance(2):
        lines = data.split(b"\n")
        lines[source.below(2)] = jsontext.value(source)
        data = b"\n".join(lines)
    return mutated(source, data) if source.chance(2) else data


def read_bundle(data):
    """It is unpacked, or refused; nothing is written beside its folder."""
    capture_log()
    if not hasattr(sys.implementation, "_mpy"):
        fakes.replace(unpack, "sys", fakes.Namespace(implementation=fakes.Namespace(_mpy=_MPY)))
    place = fakes.folder()
    unpack.os.mkdir(place + "/app_b")
    path = fakes.write(place + "/part", data)
    try:
        with open(path, "rb") as file:
            state = unpack._unpacked(file, "1.1", place + "/app_b/")
    except unpack.BAD + (OSError, StorageError):  # noqa: RUF005 (not in MicroPython)
        state = None
    expect(
        sorted(unpack.os.listdir(place)) == ["app_b", "part"], "something lies beside the folder"
    )
    judged(state)
    if state:
        expect(sorted(state) == ["boots", "seconds"], "a state that is none")
        expect(all(isinstance(state[name], int) for name in state), "a number that is none")
    finish()
