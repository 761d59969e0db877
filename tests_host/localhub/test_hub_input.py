"""Whatever comes from a network's end that nobody knows: the hub answers on, and has no defect.

A defect would be an `internal_error`, and what Hub raises when the test is over.
"""

import json
import socket
from contextlib import suppress

import pytest
from hubclient import PRODUCT_ID, Raw, credentials, new_secret, post, register, signed
from hubpki import Authority
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynreg_tools.hub import Hub
from tests_host.corpus import packets

HUB = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
QUESTION = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3hub\4test\0\0\1\0\1"


@pytest.fixture(scope="module")
def hub():
    with Hub(cert_key="ec", product_id=PRODUCT_ID, product_secret=new_secret()) as hub:
        yield hub


def send(url, data, verify=None):
    """All that comes back to these bytes, however the connection ends."""
    came = b""
    with suppress(OSError), Raw(url, verify) as raw:
        raw.socket.settimeout(2)
        raw.send(data)
        if verify is None:
            raw.socket.shutdown(socket.SHUT_WR)
        while more := raw.socket.recv(4096):
            came += more
    return came


def ask(address, data, timeout=5):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(data, address)
        return sock.recv(4096)


def answers_on(hub):
    """Each port has an answer, and no defect was reported."""
    assert (
        send(hub.http, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[9:12] == b"404"
    )
    assert ask(hub.dns, QUESTION)[:2] == QUESTION[:2]
    assert len(ask(hub.ntp, b"\x1b" + bytes(47))) == 48
    no_defect(hub)


def no_defect(hub):
    defects = [event for event in hub.events if event["event"] == "internal_error"]
    assert defects == []


def request(hub, body, *lines, start=b"POST /device/register HTTP/1.1"):
    """The bytes of a registration, signed for this body."""
    headers, body = signed(hub, body=body)
    head = [start, b"Host: 127.0.0.1", b"Connection: close", b"Content-Length: %d" % len(body)]
    head += [f"{name}: {value}".encode() for name, value in headers.items()]
    return b"\r\n".join([*head, *lines]) + b"\r\n\r\n" + body


# Cases by name.

BODIES = {
    "a lone surrogate as product": (b'{"ProductId":"\\ud800","DeviceName":"a"}', "product not"),
    "U+0000 as product": (b'{"ProductId":"\\u0000","DeviceName":"a"}', "product not"),
    "a lone surrogate as device": (b'{"ProductId":"ABCDEFGHIJ","DeviceName":"\\ud800"}', "Device"),
    "a lone surrogate as key": (b'{"\\ud800":1,"ProductId":"ABCDEFGHIJ","DeviceName":"a"}', None),
    "more digits than Python reads": (b'{"ProductId":' + b"9" * 5000 + b"}", "not a JSON object"),
    "an endless number": (b'{"ProductId":1e999,"DeviceName":NaN}', "as text"),
    "deep lists": (b'{"ProductId":' + b"[" * 16000, "not a JSON object"),
    "deep objects": (b'{"a":' * 2500 + b"1" + b"}" * 2500, ""),  # an object, from Python 3.13 on
    "surrogates in UTF-8": (b'{"ProductId":"\xed\xa0\x80"}', "not a JSON object"),
    "UTF-16": ('{"ProductId":"ABCDEFGHIJ"}'.encode("utf-16"), "not a JSON object"),
    "a certificate of surrogates": (
        b'{"ProductId":"ABCDEFGHIJ","DeviceName":"a","ClientCert":"\\ud800"}',
        "ClientCert",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies(hub, case):
    body, words = BODIES[case]
    head, _, reply = send(hub.http, request(hub, body)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    error = json.loads(reply)["Response"].get("Error")
    assert (error is None) == (words is None)
    if words:
        assert words in error["Message"]
    answers_on(hub)


def test_a_certificate_that_is_none_where_one_is_brought(start_hub):
    hub = start_hub(own_ca=Authority().pem.encode())
    for text in ("\ud800", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        assert "PEM" in post(hub, more={"clientCert": text})["Error"]["Message"]
    no_defect(hub)


GOOD = b'{"ProductId":"ABCDEFGHIJ","DeviceName":"a"}'
REQUESTS = {
    "half a host": (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), b"404"),
    "a request that begins with HEAD": (
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HT",
        b"404",
    ),
    "a ClientHello": (bytes.fromhex("16030100050100000100"), b"400"),
    "U+0000 in a header": (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", b"400"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: a\r\n" + b"Content-Length: 1\r\n" * 2, b"400"),
    "a length without end": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"400",
    ),
    "a chunk of no size": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"400",
    ),
    "chunks of one byte and much beside it": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"1;" + b"x" * 4000 + b"\r\na\r\n") * 100,
        b"413",
    ),
    "a header that is too long": (b"GET / HTTP/1.1\r\nHost: " + b"a" * 20000, b"431"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_requests(hub, case):
    data, status = REQUESTS[case]
    assert send(hub.http, data)[9:12] == status
    answers_on(hub)


def test_signed_headers_in_another_alphabet(hub):
    for line in (b"X-TC-Signature: \xff", b"X-TC-Nonce: \xb2", b"X-TC-Timestamp: \xb3"):
        reply = send(hub.http, request(hub, GOOD, line))
        assert b'"Error"' in reply
    answers_on(hub)


def test_plain_bytes_on_the_tls_ports(hub):
    connect = packets.connect("a", "b", "c")
    for url in (hub.https, hub.mqtts):
        for data in (
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            connect,
            b"\0",
            b"\x16\x03\x01\xff\xff",
        ):
            send(url, data)
    answers_on(hub)


def connect(client_id, name=b"u", protocol=b"MQTT"):
    return packets.connect(client_id, name, b"p", name=protocol)


MQTT = {
    "a surrogate as client id": (connect(b"\xed\xa0\x80"), "not UTF-8"),
    "bytes as client id": (connect(b"\xff"), "not UTF-8"),
    "U+0000 in the client id": (connect(b"a\0"), "U+0000"),
    "a surrogate as user name": (connect(b"a", b"\xed\xa0\x80"), "not UTF-8"),
    "another protocol": (connect(b"a", protocol=b"\xff\xff"), "not UTF-8"),
    "a length of five bytes": (b"\x10\xff\xff\xff\xff\x7f", "remaining length"),
    "the largest length": (b"\x10\xff\xff\xff\x7f", "over"),
    "an empty packet": (b"\x10\0", "ends in the middle"),
    "HTTP": (b"GET / HTTP/1.1\r\n\r\n", "packet type 4"),
    "TLS": (bytes.fromhex("16030100050100000100"), "packet type 1"),
}


@pytest.mark.parametrize("case", MQTT)
def test_mqtt_before_a_login(hub, case):
    data, words = MQTT[case]
    before = len(hub.events)
    assert send(hub.mqtt, data) == b""
    ends = [event for event in hub.events[before:] if event["event"] == "disconnect"]
    assert len(ends) == 1
    assert words in ends[0]["reason"]
    answers_on(hub)


def test_names_that_are_nobodys(start_hub):
    """Of other planes, and of the digits that Python's int() would read."""
    hub = start_hub()
    for client_id in ("\U0001f600", PRODUCT_ID + "\u0660", PRODUCT_ID):
        assert send(hub.mqtt, connect(client_id.encode())) == b"\x20\2\0\2"
    register(hub, "a")
    name = f"{PRODUCT_ID}a;12010126;abcde;\u0669\u0669\u0669\u0669".encode()
    assert send(hub.mqtt, connect(PRODUCT_ID.encode() + b"a", name)) == b"\x20\2\0\4"
    no_defect(hub)


NAMES = {
    "longer than a name may be": (b"\x3f" + b"a" * 63) * 5 + b"\0",
    "a label that is no text": b"\1\xff\0",
    "a pointer to itself": b"\xc0\x0c",
    "pointers without end": b"".join(b"\x3e" + b"\xc0\x0e" * 31 for _ in range(900)) + b"\0",
    "no name": b"",
    "a dot in a label": b"\3a.b\0",
}


@pytest.mark.parametrize("case", NAMES)
def test_names_in_dns(hub, case):
    data = QUESTION[:12] + NAMES[case] + b"\0\1\0\1"
    with suppress(TimeoutError):
        ask(hub.dns, data, 0.1)
    answers_on(hub)


# And anything else.

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=60)
    | st.sampled_from([PRODUCT_ID, "dev-01", "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMED = ["ProductId", "DeviceName", "ClientCert", "clientCert", "EncryptionType"]
NAMED += ["productId", "deviceName", "timestamp", "nonce", "signature"]
FIELDS = st.sampled_from(NAMED)
PATHS = st.sampled_from([b"/device/register", b"/register/dev"])


@HUB
@given(st.dictionaries(FIELDS | st.text(), JSON, max_size=6), PATHS)
def test_any_json(hub, body, path):
    start = b"POST " + path + b" HTTP/1.1"
    assert b'essage"' in send(hub.http, request(hub, json.dumps(body).encode(), start=start))
    no_defect(hub)


@HUB
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"POST /device/register HTTP/1.1\r\n", b"HEAD * HTTP/1.0\r\n", b"Host: a\r\n",
                b"CONNECT a:1 HTTP/1.1\r\n", b"Content-Length: 3\r\n", b"Upgrade: h2c\r\n",
                b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"\r\n", b"3\r\n",
                b"0\r\n", b"abc", b"Connection: keep-alive, upgrade\r\n", b"X: \xff\r\n",
                b" x\r\n",
            ]
        ),
        max_size=12,
    ).map(b"".join)
)  # fmt: skip
def test_any_request(hub, data):
    send(hub.http, data)
    no_defect(hub)


@HUB
@given(st.binary(max_size=300), st.booleans())
def test_any_first_bytes(hub, data, as_tls):
    for url in (hub.https, hub.mqtts, hub.mqtt):
        send(url, b"\x16\x03\x01" + data if as_tls else data)
    no_defect(hub)


PACKET = st.tuples(
    st.sampled_from([0x30, 0x32, 0x34, 0x3B, 0x40, 0x82, 0xA2, 0xC0, 0xE0, 0x10]),
    st.binary(max_size=40)
    | st.builds(
        lambda number, topic, rest: number + packets.text(topic) + rest,
        st.sampled_from([b"", b"\0\1"]),
        st.sampled_from([b"$sys/operation/", b"", b"\xed\xa0\x80", b"+", b"/" * 20])
        | st.text().map(lambda name: name.encode("utf-8", "surrogatepass")),
        st.sampled_from([b"", b"\1", b"\0\1", b'{"type":"get","resource":' + b"[" * 3000])
        | st.binary(max_size=20),
    ),
).map(lambda one: packets.packet(*one))


@HUB
@given(st.lists(PACKET, max_size=5), st.sampled_from([0xC0, 0xC2]))
def test_any_packets_after_a_login(hub, sent, flags):
    if not any(device["name"] == "logged-in" for device in hub.devices()):
        register(hub, "logged-in")
    [device] = [device for device in hub.devices() if device["name"] == "logged-in"]
    login = packets.connect(*credentials(hub, "logged-in", device["psk"]), flags=flags)
    came = send(hub.mqtt, login + b"".join(sent))
    assert came[:2] + came[3:4] == b"\x20\2\0"
    no_defect(hub)


@HUB
@given(st.binary(max_size=120), st.booleans())
def test_any_datagram(hub, data, as_question):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(QUESTION[:12] + data if as_question else data, hub.dns)
        sock.sendto(data, hub.ntp)
    assert ask(hub.dns, QUESTION)[:2] == QUESTION[:2]
    assert len(ask(hub.ntp, b"\x1b" + bytes(47))) == 48
    no_defect(hub)
