"""The registration: exact bytes out, one connection, one answer, nothing sent elsewhere."""

import json

import canaries
import fakes
import gateway
from dynreg.connect import first_clock
from dynreg.errors import NetworkError, ProtocolError
from dynreg.register import gateway as firmware
from dynreg.register.gateway import signature as signature_of

# --- the request --------------------------------------------------------------------------------


def _check_request(url, host, unix):
    """The whole request, header by header, and that its signature is that of its body."""
    peer = fakes.Peer(gateway.http(gateway.good()))
    net = gateway.network(peer, unix=unix)
    fakes.replace(first_clock, "find", lambda *found: False)
    assert gateway.obtain(gateway.info(url)) == canaries.DEVICE_SECRET
    line, headers, body = gateway.request(peer)
    timestamp = 0 if unix is None else fakes.NOW
    name = host.split(":")[0]
    assert json.loads(body) == {"ProductId": fakes.PRODUCT, "DeviceName": fakes.NAME}
    assert line == "POST /device/register HTTP/1.0"
    assert headers == {
        "Host": host,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-TC-Algorithm": "hmacsha256",
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Nonce": str(gateway.NONCE),
        "X-TC-Signature": signature_of(
            canaries.PRODUCT_SECRET, name, body, timestamp, gateway.NONCE
        ),
    }, headers
    assert len(peer.segments) == 1, "the request is one segment"
    assert len(net.sockets) == 1 and peer.closed, "one connection, closed"
    assert net.lookups == [(name, peer.address[1])]


def _check_requests():
    for url, host in (
        ("https://hub.local", "hub.local"),
        ("https://hub.local:443", "hub.local"),
        ("https://hub.local:8443", "hub.local:8443"),
        ("http://hub.local", "hub.local"),
        ("http://hub.local:8080", "hub.local:8080"),
        (None, "ap-guangzhou.gateway.tencentdevices.com"),
    ):
        for unix in (fakes.NOW * 1000 + 999, None):
            _check_request(url, host, unix)
            fakes.restore()


def test_the_request_by_the_platforms_library():
    _check_requests()


def test_the_request_by_urequests_0_9_1():
    real = firmware.library

    def urequests():
        return __import__("urequests")

    assert real is not urequests
    for url, host in (("https://hub.local", "hub.local"), ("http://h.l:8080", "h.l:8080")):
        fakes.replace(firmware, "library", urequests)
        _check_request(url, host, fakes.NOW * 1000)
        fakes.restore()


def test_every_request_has_a_nonce_of_its_own_above_zero_below_2_to_31():
    for value, nonce in ((b"\0\0\0\0", 1), (b"\x80\0\0\0", 1), (b"\xff" * 4, 0x7FFFFFFF)):
        peer = fakes.Peer(gateway.http(gateway.good()))
        fakes.network(fakes.Clock(), peer)
        fakes.random(value)
        gateway.obtain(gateway.info())
        assert gateway.request(peer)[1]["X-TC-Nonce"] == str(nonce), value
        fakes.restore()
    nonces = set()
    for _ in range(5):
        peer = fakes.Peer(gateway.http(gateway.good()))
        fakes.network(fakes.Clock(), peer)
        gateway.obtain(gateway.info())
        nonces.add(gateway.request(peer)[1]["X-TC-Nonce"])
        fakes.restore()
    assert len(nonces) == 5, nonces


# --- redirects, size, time ----------------------------------------------------------------------


def test_a_redirect_is_refused_and_nothing_is_sent_there():
    for status in ("301 Moved Permanently", "302 Found", "307 Temporary", "308 Permanent"):
        for place in (
            "http://evil.example/device/register",
            "http://hub.local:81/device/register",
            "http://hub.local/device/register",
            "https://evil.example/device/register",
            "/elsewhere",
        ):
            peer, elsewhere = fakes.Peer(), fakes.Peer(gateway.http(gateway.good()))
            peer_reply = gateway.http(b"", status, ["Location: " + place])
            net = gateway.network(peer, elsewhere)
            peer.expect(peer_reply)
            fakes.raises(ProtocolError, gateway.obtain, gateway.info(), retry=900)
            assert set(net.lookups) == {("hub.local", 80)}, (place, net.lookups)
            assert not elsewhere.segments and len(peer.segments) == 1, place
            assert len(net.sockets) == 1 and peer.closed, place
            fakes.restore()


def test_a_redirect_error_says_what_it_is():
    reply = gateway.http(b"", "307 Temporary Redirect", ["Location: http://evil.example/"])
    gateway.refused(ProtocolError, reply, "protocol.redirect", says=gateway.HOST, retry=900)


def test_a_reply_over_16_kb_is_refused():
    good = json.dumps(gateway.good())
    padded = good[:-1] + " " * 16000 + "}"
    assert gateway.register(gateway.http(padded)) == canaries.DEVICE_SECRET
    fakes.restore()
    gateway.refused(
        ProtocolError, gateway.http(good[:-1] + " " * 16400 + "}"), "protocol.size", retry=900
    )


def test_endless_headers_are_refused():
    for data in (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, b"H" * 20000):
        gateway.refused(ProtocolError, [(0, data)], "protocol.size", retry=900)
        fakes.restore()


def test_a_silent_gateway_is_left_after_30_seconds():
    for reply in (None, [(0, b"HTTP/1.1 200 OK\r\n")]):
        peer = fakes.Peer(reply)
        net = gateway.network(peer)
        fakes.raises(NetworkError, gateway.obtain, gateway.info(), code="network.timeout")
        assert peer.clock.passed == 30000 and peer.closed, peer.clock.passed
        assert len(net.sockets) == 1
        fakes.restore()


def test_a_slow_gateway_has_30_seconds_in_all():
    data = gateway.http(gateway.good())[0][1]
    peer = fakes.Peer([(1000 * i, data[i : i + 1]) for i in range(len(data))])
    gateway.network(peer)
    fakes.raises(NetworkError, gateway.obtain, gateway.info(), code="network.timeout")
    assert peer.clock.passed == 30000, peer.clock.passed


def test_a_gateway_that_cannot_be_reached():
    net = gateway.network()
    fakes.raises(
        NetworkError,
        gateway.obtain,
        gateway.info(),
        code="network.connect",
        says=(gateway.HOST, "does a server listen there"),
    )
    assert len(net.sockets) == 1
    fakes.restore()
    gateway.network()
    gone = gateway.info("http://no.such.host")
    fakes.raises(
        NetworkError, gateway.obtain, gone, code="network.dns", says=("no.such", "name server")
    )


def test_the_library_has_its_own_socket_back_afterwards():
    library = firmware.library()
    name = "socket" if hasattr(library, "socket") else "usocket"
    real = getattr(library, name)
    fakes.replace(firmware, "library", lambda: library)
    redirect = gateway.http(b"", "307 T", ["Location: http://evil.example/"])
    for reply, kind in (
        (gateway.http(gateway.good()), None),
        (redirect, ProtocolError),
        (None, NetworkError),
    ):
        gateway.network(fakes.Peer(reply))
        if kind:
            fakes.raises(kind, gateway.obtain, gateway.info())
        else:
            gateway.obtain(gateway.info())
        assert getattr(library, name) is real


def test_whatever_comes_between_handshake_and_request_the_socket_is_closed():
    peer = fakes.Peer()
    gateway.network(peer)

    def no_memory(*_):
        raise MemoryError

    fakes.replace(firmware, "signature", no_memory)
    fakes.raises(MemoryError, gateway.obtain, gateway.info())
    assert peer.closed == 1 and not peer.segments


def test_a_library_that_goes_round_the_adapter_is_not_believed():
    class Response:
        status_code = 200
        content = json.dumps(gateway.good()).encode()

    library = fakes.Namespace(
        __name__="urequests", usocket=None, request=lambda *_, **__: Response()
    )
    fakes.replace(firmware, "library", lambda: library)
    gateway.network(fakes.Peer(), fakes.Peer())
    fakes.raises(
        ProtocolError,
        gateway.obtain,
        gateway.info(),
        code="protocol.library",
        says="urequests",
    )
    library = fakes.Namespace(__name__="other", request=lambda *_, **__: Response())
    fakes.raises(
        ProtocolError, gateway.obtain, gateway.info(), code="protocol.library", says="other"
    )
