"""What a gateway answers: HTTP, the JSON in it, what is encrypted in that, a Date."""

import json
import os

import canaries
import fakes
import gateway as answers
import jsontext
from dynreg import port
from dynreg.connect import first_clock, tls, trust
from dynreg.device import DeviceInfo
from dynreg.register import first_boot, gateway
from judge import Peer, capture_log, expect, finish, tried
from mutations import mutated

_KEY = b'{"encryptionType":2,"psk":"' + canaries.DEVICE_SECRET.encode() + b'"}'
_PAIR = json.dumps(
    {
        "encryptionType": 1,
        "clientCert": canaries.CERTIFICATE,
        "clientKey": canaries.PRIVATE_KEY,
    }
).encode()
_KEY_MEMBERS = ((b"encryptionType", b"2"), (b"psk", b'"Y2FuYXJ5LWRldmljZS1rZXk="'))
_PAIR_MEMBERS = tuple(
    (key.encode(), json.dumps(value).encode()) for key, value in json.loads(_PAIR).items()
)
_STATUS = (b"200 OK", b"200 OK", b"400 Bad Request", b"500 Oops", b"302 Found", b"204 None")
_MOST_MS = 31000  # of a registration


def _payload(plain, pad=None):
    return answers.payload(plain, pad).encode()


_RESPONSE = (
    (b"Len", str(len(_KEY)).encode()),
    (b"Payload", b'"' + _payload(_KEY) + b'"'),
    (b"RequestId", b'"request-1"'),
    (b"State", b"0"),
)
_ERROR = ((b"Code", b'"FailedOperation"'), (b"Message", b'"signature check failed"'))


def _http(source, body):
    lines = [b"HTTP/1.1 " + source.one_of(_STATUS), b"Content-Type: application/json"]
    kind = source.below(8)
    if kind == 0:
        lines.append(b"Transfer-Encoding: chunked")
        body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    elif kind == 1:
        place = (b"http://hub.local/", b"https://evil.example/x", b"/x", b"http://h:99999/", b"")
        lines.append(b"Location: " + source.one_of(place))
    elif kind < 7:
        lines.append(b"Content-Length: " + str(len(body)).encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _response(source, members):
    """The body around these members of Response, or an Error, or something else."""
    kind = source.below(6)
    if kind == 0:
        members = ((b"Error", jsontext.changed(source, _ERROR)), (b"RequestId", b'"request-2"'))
    elif kind == 1:
        return jsontext.changed(source, ((b"Response", jsontext.value(source)),))
    return jsontext.obj([(b'"Response"', jsontext.changed(source, members))])


# --- HTTP ---------------------------------------------------------------------------------------


def a_reply(source):
    """(which library, the bytes, how many at a time, whether the connection ends then)"""
    data = _http(source, _response(source, _RESPONSE))
    if source.chance(2):
        data = mutated(source, data, (_payload(_KEY), b"HTTP/1.0 200 OK\r\n\r\n"))
    return source.below(2), data, source.one_of((1, 7, 100, 100000)), not source.chance(4)


def read_reply(case):
    """first_boot.register() with one reply, and the same reply should it ask again."""
    which, data, size, ends = case
    size = max(size, len(data) // 1000)
    coming = [(0, data[place : place + size]) for place in range(0, len(data), size)]
    if ends:
        coming.append((0, fakes.END))
    _register(_infos["KEY"], _libraries[which % len(_libraries)], coming)


def _register(info, library, coming):
    capture_log()
    ticking = fakes.Clock()
    net = fakes.network(ticking, Peer(coming), Peer(coming))
    fakes.replace(gateway, "library", lambda: library)
    credential, error = tried(first_boot.register, info, 0)
    expect(len(net.sockets) <= 2, "more than two connections")
    if not error:
        if info.mode == "KEY":
            expect(isinstance(credential, str), "no device secret")
        else:
            trust.pair_of_der(credential)
    finish(net, ticking, _MOST_MS)


# --- what is encrypted --------------------------------------------------------------------------


def a_plaintext(source):
    """(mode, the plaintext, Len, the padding)"""
    mode = source.one_of(("KEY", "CERT"))
    good, members = (_KEY, _KEY_MEMBERS) if mode == "KEY" else (_PAIR, _PAIR_MEMBERS)
    if source.chance(2):
        plain = jsontext.changed(source, members)
    else:
        plain = mutated(source, good, (_KEY, _PAIR))
    plain = plain[:12000]  # 16 KB as base64
    length = str(len(plain)).encode()
    if source.chance(5):
        length = jsontext.value(source)
    pad = bytes(-len(plain) % 16)
    if source.chance(5):
        pad = source.bytes(len(pad)) + bytes(16 * source.below(2))
    return mode, plain, length, pad


def read_plaintext(case):
    """first_boot.register() with a reply that is good but for what is encrypted in it."""
    mode, plain, length, pad = case
    payload = b'{"Response":{"Len":%s,"Payload":"%s"}}' % (length, _payload(plain, pad))
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(payload) + payload
    _register(_infos[mode], _libraries[0], [(0, data), (0, fakes.END)])


# --- a Date -------------------------------------------------------------------------------------

_DATE = b"HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sat, 02 Jan 2027 03:04:05 GMT\r\n\r\n"
_PARTS = (b"Fri,", b"02", b"Jan", b"2026", b"03:04:05", b"GMT")


def a_date(source):
    """(the bytes, whether the connection ends then)"""
    data = _DATE
    if source.chance(2):
        parts = list(_PARTS)
        for _ in range(1 + source.below(2)):
            place = source.below(len(parts))
            parts[place] = mutated(source, parts[place], _PARTS)
        data = b"HTTP/1.1 200 OK\r\nDate: " + b" ".join(parts) + b"\r\n\r\n"
    else:
        data = mutated(source, data, (b"Date: ", b"\r\n"))
    return data, not source.chance(4)


def read_date(case):
    """first_clock.find() where NTP is dead and a gateway answers this."""
    data, ends = case
    capture_log()
    fakes.ntp(OSError(110))
    ticking = fakes.Clock(None)
    net = fakes.network(ticking, Peer([(0, data), (0, fakes.END)] if ends else data))
    found, error = tried(first_clock.find, tls.connect, _infos["KEY"])
    expect(not error and found is (len(ticking.settings) == 1), "find() has no clear result")
    for unix in ticking.settings:
        expect(port.plausible(unix // 1000), "the clock is set to what cannot be")
    finish(net, ticking, 6000)


_infos = {}
_libraries = []


def setup(folder):
    """What stays for all cases: DeviceInfos, whose files lie in folder, and the libraries."""
    for mode in ("KEY", "CERT"):
        os.mkdir(folder + "/" + mode)
        values = fakes.values(auth_mode=mode, endpoint={"gateway": "http://hub.local"})
        text = json.dumps(values)
        _infos[mode] = DeviceInfo(fakes.write(folder + "/" + mode + "/device_info.json", text))
    _libraries.append(__import__("urequests"))
    if fakes.MICROPYTHON:
        _libraries.append(__import__("requests"))  # the wheel's own, of 2026
