"""Who may use the HTTP interface, and what a client that is slow or hostile gets."""

import contextlib
import random
import time
from urllib.parse import urlsplit

import pytest
import requests
from hubclient import Raw
from hubevents import stream, until

from dynreg_tools.hub import Hub, HubError


def status(hub, path="/product", *, method="GET", **headers):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    reply = requests.request(
        method, hub.control + path, headers=named, timeout=10, allow_redirects=False
    )
    return reply.status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "LocalHost:99", "[::1]:8446"])
def test_a_loopback_host(hub, host):
    assert status(hub, Host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "evil.test:8446", "", "[::2]", ":", "10.0.0.1"]
)
def test_another_host(hub, host):
    assert status(hub, Host=host) == 403


def test_a_page_of_another_origin_changes_nothing(hub):
    port = urlsplit(hub.control).port
    for origin in ("http://evil.test", "null", f"http://127.0.0.1:{port + 1}", hub.control + "/x"):
        assert status(hub, "/faults/tls-expired", method="PUT", Origin=origin) == 403
    assert hub.faults == []
    assert status(hub, "/faults/tls-expired", method="PUT", Origin=hub.control) == 200


def test_headers_of_every_answer(hub):
    for path in ("/product", "/nowhere", "/events?after=x"):
        headers = requests.get(hub.control + path, timeout=10).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


@pytest.fixture
def open_hub(start_hub):
    """A hub whose interface is on every address, and its token."""
    hub = start_hub(control_host="0.0.0.0")
    base, _, token = hub.workbench.partition("/?token=")
    assert base == hub.control
    assert len(token) >= 32
    return hub, token


def test_other_than_on_loopback_only_with_the_token(open_hub):
    hub, token = open_hub
    assert status(hub) == 403
    assert status(hub, "/") == 403
    assert status(hub, "/?token=wrong") == 403
    assert status(hub, "/product?token=" + token) == 403
    assert status(hub, Authorization="Bearer wrong") == 403
    assert status(hub, Authorization=f"Bearer {token}x") == 403
    assert status(hub, Authorization="Bearer \xff") == 403
    assert status(hub, Authorization=f"Bearer {token}") == 200
    assert status(hub, Authorization=f"Bearer {token}", Host="laptop.test:8446") == 200
    assert status(hub, Authorization=f"Bearer {token}", Origin="http://evil.test") == 403


def test_a_browser_gets_the_token_as_a_cookie(open_hub):
    hub, _ = open_hub
    with requests.Session() as browser:
        reply = browser.get(hub.workbench, timeout=10, allow_redirects=False)
        assert reply.status_code == 303
        assert reply.headers["location"] == "/"
        cookie = reply.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert browser.get(hub.control + "/product", timeout=10).status_code == 200
        assert browser.get(hub.control + "/devices", timeout=10).status_code == 200


def test_an_open_hub_writes_its_token_nowhere(open_hub):
    hub, token = open_hub
    headers = {"Authorization": f"Bearer {token}"}
    text = requests.get(hub.control + "/product", headers=headers, timeout=10).text
    assert token not in text + str(hub.events)


def test_a_named_address_is_a_host_too(start_hub):
    hub = start_hub(control_host="localhost")
    assert hub.control.startswith("http://localhost:")
    assert status(hub) == 200
    with pytest.raises(HubError, match=r"cannot listen on 203\.0\.113\.1"):
        Hub(control_host="203.0.113.1", cert_key="ec").start()


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /product HT",
        b"GET /product HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /prod",
        b"PUT /product HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
        b"PUT /product HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["nothing", "half a head", "half a second head", "half a body", "half a chunk"],
)
def test_a_slow_request_ends(start_hub, begin):
    hub = start_hub(idle_timeout=0.3)
    with Raw(hub.control) as raw:
        raw.send(begin)
        answer = raw.ended()
    if b"PUT" in begin:
        assert b"408" in answer
    elif begin.count(b"GET") == 2:
        assert answer.count(b"HTTP/1.1") == 1


def test_a_request_byte_by_byte_ends(start_hub):
    hub = start_hub(idle_timeout=0.3)
    with Raw(hub.control) as raw, pytest.raises(OSError):
        for _ in range(100):
            raw.send(b"G")
            time.sleep(0.05)


def test_a_stream_outlives_the_limit_of_a_request(start_hub):
    hub = start_hub(idle_timeout=0.2)
    with stream(hub) as events:
        time.sleep(0.6)
        hub.add_device("lamp")
        assert until(events, "precreated")


def test_requests_one_after_the_other_on_a_connection(hub):
    one = b"GET /product HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with Raw(hub.control) as raw:
        raw.send(one * 20)
        raw.send(one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert raw.ended().count(b"HTTP/1.1 200 OK") == 21


HOSTILE = [
    b"GET http://[ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET //[/product HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /product HTTP/1.1\r\nHost: [\r\n\r\n",
    b"GET /product HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\r\n",
    b"GET /product HTTP/1.1\r\n\r\n",
    b"GET /product HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /%ff%00%0d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /events?after=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: \xff\r\n\r\n",
    b"GET /?token=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: \xff=\xfe;;=;\r\n\r\n",
    b"PUT /product HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"PUT /product HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"PUT /product HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
]


@pytest.mark.parametrize("request_", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_request_is_no_defect(start_hub, capfd, request_):
    hub = start_hub(idle_timeout=0.3)
    with Raw(hub.control) as raw:
        raw.send(request_)
        raw.ended()
    assert status(hub) == 200
    assert "internal_error" not in [event["event"] for event in hub.events]
    assert capfd.readouterr() == ("", "")


def test_good_requests_made_bad_are_no_defect(start_hub):
    hub = start_hub(idle_timeout=0.05)
    hub.add_device("lamp")
    good = [
        b"GET /devices HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PUT /faults/http-page?arg=503&times=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /devices/lamp/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 39\r\n\r\n"
        b'{"topic":"control","payload":"x","qos":1}'[:39],
        b"GET /events?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    ]
    chance = random.Random(13)
    for _ in range(150):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with Raw(hub.control) as raw, contextlib.suppress(OSError):
            raw.send(bytes(data))
            raw.socket.settimeout(0.1)
            raw.ended()
    assert status(hub) == 200
    assert "internal_error" not in [event["event"] for event in hub.events]


@pytest.mark.ci
def test_a_reader_of_events_that_stops_reading_holds_up_nobody(hub):
    last = 3000
    with stream(hub, after=0) as events:
        for _ in range(last):  # 48 MB, more than the sockets hold
            hub._call(hub._journal.emit, "time_served", payload=bytes(8192))
        assert status(hub) == 200
        numbers = []
        while last not in numbers:
            numbers.append(next(events)[0])
    assert numbers == sorted(set(numbers))
    assert len(numbers) < last
