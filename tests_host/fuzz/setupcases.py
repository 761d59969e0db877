"""What phones and others send to the access point of services/setup: name queries, requests."""

import fakes
from dynreg.services.setup import dns, http
from dynreg.services.setup.portal import Portal
from judge import capture_log, expect, finish, seen
from mutations import mutated

_ADDRESS = bytes((192, 168, 4, 1))
_QUERY = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x07captive\x05apple\x03com\0\0\1\0\1"
_EDNS = _QUERY[:11] + b"\1" + _QUERY[12:] + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
_HEAD = b" HTTP/1.1\r\nHost: 192.168.4.1\r\nAccept-Language: zh-CN,en;q=0.5\r\n"
# TOKEN becomes the sixteen characters of the portal's.
_FORM = b"t=TOKEN&n=686f6d65&o=%E5%AE%B6&p=a+good+password"
_TYPE = b"Content-Type: application/x-www-form-urlencoded\r\n"
_GOOD = (
    b"GET /" + _HEAD + b"User-Agent: CaptiveNetworkSupport/1.0 wispr\r\n\r\n",
    b"GET http://captive.apple.com/hotspot-detect.html HTTP/1.0\r\n\r\n",
    b"POST /" + _HEAD + _TYPE + b"Content-Length: %d\r\n\r\n" % (len(_FORM) + 11) + _FORM,
    b"POST /" + _HEAD + _TYPE + b"Content-Length: 22\r\n\r\nt=TOKEN&a=1",
)
_SETTINGS = {"name": "lamp <1>", "password": "abcdefgh", "wifi": None, "open": 600}


class _Radio:
    """No radio: what would be joined is noted."""

    begun = None

    def __init__(self):
        self.networks = [(b"home", -50, False, True), (b"\xff<b>", -60, True, False)]

    def scan(self):
        pass

    stop = scan

    def begin(self, name, password):
        self.begun = name, password


def some_packets(source):
    """Up to eight (whether it is a request, its bytes)."""
    found = []
    for _ in range(1 + source.below(8)):
        request = source.below(3) > 0
        data = source.one_of(_GOOD if request else (_QUERY, _EDNS))
        if not source.chance(4):
            data = mutated(source, data, _GOOD)
        found.append((request, data))
    return found


def answer_packets(case):
    """Each gets its answer, or none; a page's own form alone begins anything."""
    capture_log()
    clock = fakes.Clock()
    portal = Portal(_Radio(), "", _SETTINGS)
    portal.address = "192.168.4.1"
    for request, data in case:
        if request:
            _request(portal, data.replace(b"TOKEN", portal.token.encode()))
        else:
            _query(data)
    finish(None, clock)


def _query(data):
    reply = dns.answer(data, _ADDRESS)
    seen["sound" if reply else "refused"] += 1
    if reply:
        expect(reply[:2] == data[:2], "a reply to something else")
        expect(reply[2] & 0x80, "a reply that is a query")
        expect(len(reply) <= len(data) + 16, "a reply that is much longer than its query")


def _request(portal, data):
    try:
        parsed = http.parse(data)
        if parsed is None:
            expect(len(data) <= 4200, "more is waited for than a request may have")
            return
        method, host, _, _, body = parsed
        expect(len(body) <= 1024, "a body that is too long")
        reply = b"".join(portal.answer(*parsed))
        seen["sound"] += 1
    except http.Refused as refused:
        seen["refused"] += 1
        reply = b"".join(http.reply(refused.status))
    expect(reply.startswith(b"HTTP/1.1 "), "no reply")
    expect(reply.count(b"\r\n\r\n") == 1, "a reply that is two")
    expect(b"<b>" not in reply, "a name that gets out of its place")
    expect(b"a good password" not in reply, "the password is shown")
    begun, portal.radio.begun = portal.radio.begun, None
    if begun:
        name, password = begun
        expect(method == b"POST" and host.startswith(b"192.168.4.1"), "begun by something else")
        expect(portal.token.encode() in body, "begun without the token")
        expect(0 < len(name.encode()) <= 32, "a name that is none")
        expect(not password or 8 <= len(password.encode()) <= 63, "a password that is none")
        portal.state = "password"
