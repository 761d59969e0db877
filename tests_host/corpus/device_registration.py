"""The registration: exact bytes out, every kind of reply in, one connection, one answer."""

import json
from binascii import b2a_base64

import canaries
import cryptolib
import fakes
from dynreg import board, first_clock, registration, signing
from dynreg.device_info import DeviceInfo
from dynreg.errors import NetworkError, ProtocolError, RegistrationError

HOST = "hub.local"
NONCE = 0x12345678
PLAIN = json.dumps({"encryptionType": 2, "psk": canaries.DEVICE_SECRET})


def _info(gateway="http://" + HOST, **changes):
    return DeviceInfo(fakes.device_info(endpoint={"gateway": gateway}, **changes))


def _http(body, status="200 OK", headers=()):
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json"]
    lines.extend(headers)
    lines.append(f"Content-Length: {len(body)}")
    return [(0, "\r\n".join(lines).encode() + b"\r\n\r\n" + body), (0, fakes.END)]


def _payload(plain=PLAIN, pad=None, secret=canaries.PRODUCT_SECRET):
    plain = plain.encode() if isinstance(plain, str) else plain
    padding = bytes(-len(plain) % 16) if pad is None else pad
    aes = cryptolib.aes(secret[:16].encode(), 2, b"0" * 16)
    return b2a_base64(aes.encrypt(plain + padding)).decode().strip()


def _good(**changes):
    response = {"Len": len(PLAIN), "Payload": _payload(), "RequestId": "request-1", "State": 0}
    response.update(changes)
    return {"Response": {k: response[k] for k in response if response[k] is not None}}


def _refusal(code, message):
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "request-2"}}


def _network(*peers, unix=fakes.NOW * 1000):
    fakes.random(NONCE.to_bytes(4, "big"))
    return fakes.network(fakes.Clock(unix), *peers)


def _register(reply, info=None):
    """What register() makes of one HTTP reply."""
    _network(fakes.Peer(reply))
    return registration.register(info or _info())


def _refused(kind, reply, code, says="", retry=None, info=None):
    """The error register() raises after exactly one attempt with this reply."""
    peer = fakes.Peer(reply)
    net = _network(peer)
    error = fakes.raises(
        kind, registration.register, info or _info(), code=code, says=says, retry=retry
    )
    assert len(net.sockets) == 1 and peer.closed and len(peer.segments) == 1
    return error


def _request(peer):
    """(request line, headers by name, body) of what a peer got."""
    head, _, body = peer.sent.partition(b"\r\n\r\n")
    first, *_ = lines = head.decode().split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, value = line.split(": ", 1)
        assert name not in headers, name
        headers[name] = value
    return first, headers, body


# --- the request --------------------------------------------------------------------------------


def _check_request(gateway, host, unix):
    """The whole request, header by header, and that its signature is that of its body."""
    peer = fakes.Peer(_http(_good()))
    net = _network(peer, unix=unix)
    fakes.replace(first_clock, "find", lambda *found: False)
    assert registration.register(_info(gateway)) == canaries.DEVICE_SECRET
    line, headers, body = _request(peer)
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
        "X-TC-Nonce": str(NONCE),
        "X-TC-Signature": signing.registration(
            canaries.PRODUCT_SECRET, name, body, timestamp, NONCE
        ),
    }, headers
    assert len(peer.segments) == 1, "the request is one segment"
    assert len(net.sockets) == 1 and peer.closed, "one connection, closed"
    assert net.lookups == [(name, peer.address[1])]


def _check_requests():
    for gateway, host in (
        ("https://hub.local", "hub.local"),
        ("https://hub.local:443", "hub.local"),
        ("https://hub.local:8443", "hub.local:8443"),
        ("http://hub.local", "hub.local"),
        ("http://hub.local:8080", "hub.local:8080"),
        (None, "ap-guangzhou.gateway.tencentdevices.com"),
    ):
        for unix in (fakes.NOW * 1000 + 999, None):
            _check_request(gateway, host, unix)
            fakes.restore()


def test_the_request_by_the_platforms_library():
    _check_requests()


def test_the_request_by_urequests_0_9_1():
    real = board.requests_module

    def urequests():
        return __import__("urequests")

    assert real is not urequests
    for gateway, host in (("https://hub.local", "hub.local"), ("http://h.l:8080", "h.l:8080")):
        fakes.replace(board, "requests_module", urequests)
        _check_request(gateway, host, fakes.NOW * 1000)
        fakes.restore()


def test_every_request_has_a_nonce_of_its_own_above_zero_below_2_to_31():
    for value, nonce in ((b"\0\0\0\0", 1), (b"\x80\0\0\0", 1), (b"\xff" * 4, 0x7FFFFFFF)):
        peer = fakes.Peer(_http(_good()))
        fakes.network(fakes.Clock(), peer)
        fakes.random(value)
        registration.register(_info())
        assert _request(peer)[1]["X-TC-Nonce"] == str(nonce), value
        fakes.restore()
    nonces = set()
    for _ in range(5):
        peer = fakes.Peer(_http(_good()))
        fakes.network(fakes.Clock(), peer)
        registration.register(_info())
        nonces.add(_request(peer)[1]["X-TC-Nonce"])
        fakes.restore()
    assert len(nonces) == 5, nonces


# --- good replies -------------------------------------------------------------------------------


def test_a_secret():
    assert _register(_http(_good())) == canaries.DEVICE_SECRET


def test_a_reply_without_what_is_optional():
    assert _register(_http(_good(RequestId=None, State=None))) == canaries.DEVICE_SECRET


def test_a_good_reply_with_whatever_http_status():
    for status in ("201 Created", "400 Bad Request", "500 Internal Server Error"):
        assert _register(_http(_good(), status)) == canaries.DEVICE_SECRET, status
        fakes.restore()


def test_a_reply_in_many_pieces():
    data = _http(_good())[0][1]
    pieces = [(10 * i, data[i : i + 1]) for i in range(len(data))]
    pieces.append((10 * len(data), fakes.END))
    assert _register(pieces) == canaries.DEVICE_SECRET


def test_a_secret_whose_json_fills_its_blocks():
    for size in range(16):
        plain = PLAIN[:-1] + " " * size + "}"
        reply = _http(_good(Len=len(plain), Payload=_payload(plain)))
        assert _register(reply) == canaries.DEVICE_SECRET, size
        fakes.restore()


def test_the_published_key_payload():
    vector = fakes.vectors()["decrypt"][0]
    reply = _http(_good(Len=vector["len"], Payload=vector["payload"]))
    secret = _register(reply, _info(productSecret=vector["product_secret"]))
    assert secret == json.loads(vector["plaintext"])["psk"]


def test_the_published_own_ca_payload_decrypts_but_holds_no_secret():
    vector = fakes.vectors()["decrypt"][1]
    key = vector["product_secret"]
    assert _payload(vector["plaintext"], secret=key) == vector["payload"]
    assert len(vector["plaintext"]) == vector["len"]
    reply = _http(_good(Len=vector["len"], Payload=vector["payload"]))
    _refused(ProtocolError, reply, "protocol.payload", info=_info(productSecret=key))


# --- replies that do not decrypt ----------------------------------------------------------------


def _corrupt(**changes):
    error = _refused(
        ProtocolError,
        _http(_good(**changes)),
        "protocol.payload",
        says=("is productSecret that of " + fakes.PRODUCT),
        retry=False,
    )
    assert error.request_id == "request-1"
    fakes.restore()


def test_a_len_that_is_too_small():
    for length in (len(PLAIN) - 1, len(PLAIN) - 16, 1, 0):
        _corrupt(Len=length)


def test_a_len_that_is_too_large():
    for length in (1000, len(PLAIN) + 16, len(PLAIN) + 1):
        _corrupt(Len=length)


def test_a_len_that_is_negative_missing_or_no_number():
    for length in (-1, -11, -len(PLAIN), None, "73", [73], 73.0):
        _corrupt(Len=length)


def test_a_padding_that_is_not_zero():
    size = -len(PLAIN) % 16
    assert size > 1
    for pad in (b"\x01" + bytes(size - 1), bytes(size - 1) + b"\x01", b" " * size):
        _corrupt(Payload=_payload(pad=pad))
    _corrupt(Payload=_payload(pad=bytes((size,)) * size))  # PKCS #7


def test_a_padding_that_is_too_long():
    _corrupt(Payload=_payload(pad=bytes(-len(PLAIN) % 16 + 16)))


def test_a_payload_that_is_no_base64():
    good = _payload()
    for payload in (good[:-1], good[:-2], good[:-4], "", "?", None, 5, [good]):
        _corrupt(Payload=payload)


def test_a_payload_under_another_product_secret():
    _corrupt(Payload=_payload(secret="AnotherProductSecret12345"))


def test_a_payload_with_one_bit_changed():
    good = _payload()
    for place in (0, 30, 60):
        changed = "A" if good[place] != "A" else "B"
        _corrupt(Payload=good[:place] + changed + good[place + 1 :])


def test_json_that_is_cut_off_or_none():
    for plain in (PLAIN[:-1], PLAIN[:-4], "", "x", "[]", "null", '"psk"', "5", "\xff"):
        _corrupt(Len=len(plain.encode()), Payload=_payload(plain))


def test_a_psk_that_is_empty_or_no_base64():
    for psk in ("", "abc", "!!!", None, 5, ["YWJj"], {}):
        plain = json.dumps({"encryptionType": 2, "psk": psk})
        _corrupt(Len=len(plain), Payload=_payload(plain))
    plain = json.dumps({"encryptionType": 2})
    _corrupt(Len=len(plain), Payload=_payload(plain))


def test_another_encryption_type():
    for kind in (0, 1, 3, "2", None):
        plain = json.dumps({"encryptionType": kind, "psk": canaries.DEVICE_SECRET})
        _corrupt(Len=len(plain), Payload=_payload(plain))
    plain = json.dumps({"psk": canaries.DEVICE_SECRET})
    _corrupt(Len=len(plain), Payload=_payload(plain))


# --- refusals -----------------------------------------------------------------------------------


def test_the_known_refusals_are_permanent_and_tried_once():
    for code, message in (
        ("FailedOperation", "device has been activated"),
        ("ResourceNotFound", "Pre create mode: device not exists"),
        (
            "UnsupportedOperation",
            "Not support dynamic device register, please check setting first",
        ),
        ("InvalidParameterValue.ProductId", "no such product"),
        ("SomethingNew", "that nobody knows"),
    ):
        for status in ("200 OK", "400 Bad Request", "403 Forbidden"):
            error = _refused(
                RegistrationError,
                _http(_refusal(code, message), status),
                "register.refused",
                says=(message, code),
                retry=False,
            )
            assert (error.cloud_code, error.request_id) == (code, "request-2")
            fakes.restore()


def test_passing_refusals_are_worth_another_try_later():
    for code, message in (
        ("RequestLimitExceeded", "rate limit"),
        ("LimitExceeded.Throttling", "slow down"),
        ("FailedOperation", "Too frequent, try later"),
        ("InternalError", "internal error"),
        ("InternalServerException", "x"),
        ("ServiceUnavailable", "x"),
        ("FailedOperation", "server busy"),
    ):
        _refused(RegistrationError, _http(_refusal(code, message)), "register.refused", retry=True)
        fakes.restore()


def test_a_refused_signature_is_tried_once_more_without_the_time():
    for code, message in (
        ("AuthFailure.SignatureFailure", "x"),
        ("FailedOperation", "signature check failed"),
        ("FailedOperation", "Signature expired"),
    ):
        peers = fakes.Peer(_http(_refusal(code, message))), fakes.Peer(_http(_good()))
        net = _network(*peers)
        assert registration.register(_info()) == canaries.DEVICE_SECRET
        first, second = (_request(peer)[1] for peer in peers)
        assert first["X-TC-Timestamp"] == str(fakes.NOW), message
        assert second["X-TC-Timestamp"] == "0", message
        assert first["X-TC-Signature"] != second["X-TC-Signature"]
        assert len(net.sockets) == 2
        fakes.restore()


def test_a_refused_signature_is_tried_no_third_time():
    reply = _http(_refusal("AuthFailure", "signature check failed"))
    net = _network(fakes.Peer(reply), fakes.Peer(reply), fakes.Peer(_http(_good())))
    fakes.raises(
        RegistrationError, registration.register, _info(), code="register.refused", retry=False
    )
    assert len(net.sockets) == 2


def test_without_a_clock_a_refused_signature_is_final():
    reply = _http(_refusal("AuthFailure", "signature check failed"))
    net = _network(fakes.Peer(reply), fakes.Peer(_http(_good())), unix=None)
    fakes.raises(
        RegistrationError, registration.register, _info(), code="register.refused", retry=False
    )
    assert len(net.sockets) == 1


# --- replies that are none ----------------------------------------------------------------------


def test_a_server_fault_without_json_is_worth_another_try():
    for status in ("500 Internal Server Error", "502 Bad Gateway", "503 Busy", "504 Late"):
        for body in (b"<html>busy</html>", b"", b"\xff\xfe"):
            _refused(
                ProtocolError, _http(body, status), "protocol.reply", says=status[:3], retry=True
            )
            fakes.restore()


def test_other_replies_without_json_are_not():
    for status in ("204 No Content", "400 Bad Request", "404 Not Found"):
        for body in (b"<html>hello</html>", b"", b"\xff\xfe"):
            _refused(
                ProtocolError, _http(body, status), "protocol.reply", says=status[:3], retry=False
            )
            fakes.restore()


def test_json_of_another_shape():
    for body in (
        [],
        {},
        "text",
        5,
        None,
        {"Response": None},
        {"Response": []},
        {"Response": "x"},
        {"Response": {"Error": "x"}},
        {"Response": {"Error": ["x"]}},
        {"Response": {"Error": {"Code": "x"}}},
        {"Response": {"Error": {"Message": "x"}}},
    ):
        _refused(ProtocolError, _http(json.dumps(body)), "protocol.reply", retry=False)
        fakes.restore()


def test_an_empty_response():
    _refused(ProtocolError, _http({"Response": {}}), "protocol.payload", retry=False)


def test_what_is_no_http():
    for data in (
        b"\r\n\r\n",
        b"220 smtp.example ESMTP\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \xff\xfe\r\n\r\n",
    ):
        peer = fakes.Peer([(0, data), (0, fakes.END)])
        _network(peer)
        fakes.raises(ProtocolError, registration.register, _info())
        assert peer.closed
        fakes.restore()


def test_a_connection_that_ends_too_early():
    for data in (b"", b"HTT", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-"):
        _refused(
            NetworkError, [(0, data), (0, fakes.END)] if data else fakes.END, "network.closed"
        )
        fakes.restore()


def test_a_body_that_ends_too_early():
    whole = _http(_good())[0][1]
    for size in (1, 20, 100):
        reply = [(0, whole[:-size]), (0, fakes.END)]
        _refused(NetworkError, reply, "network.closed", says="stops in the middle", retry=True)
        fakes.restore()
    head = whole[: whole.index(b"\r\n\r\n") + 4]
    _refused(NetworkError, [(0, head), (0, fakes.END)], "network.closed", retry=True)


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
            peer, elsewhere = fakes.Peer(), fakes.Peer(_http(_good()))
            peer_reply = _http(b"", status, ["Location: " + place])
            net = _network(peer, elsewhere)
            peer.expect(peer_reply)
            fakes.raises(ProtocolError, registration.register, _info(), retry=False)
            assert set(net.lookups) == {("hub.local", 80)}, (place, net.lookups)
            assert not elsewhere.segments and len(peer.segments) == 1, place
            assert len(net.sockets) == 1 and peer.closed, place
            fakes.restore()


def test_a_redirect_error_says_what_it_is():
    reply = _http(b"", "307 Temporary Redirect", ["Location: http://evil.example/"])
    _refused(ProtocolError, reply, "protocol.redirect", says=HOST, retry=False)


def test_a_reply_over_16_kb_is_refused():
    good = json.dumps(_good())
    padded = good[:-1] + " " * 16000 + "}"
    assert _register(_http(padded)) == canaries.DEVICE_SECRET
    fakes.restore()
    _refused(ProtocolError, _http(good[:-1] + " " * 16400 + "}"), "protocol.size", retry=False)


def test_endless_headers_are_refused():
    for data in (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, b"H" * 20000):
        _refused(ProtocolError, [(0, data)], "protocol.size", retry=False)
        fakes.restore()


def test_a_silent_gateway_is_left_after_30_seconds():
    for reply in (None, [(0, b"HTTP/1.1 200 OK\r\n")]):
        peer = fakes.Peer(reply)
        net = _network(peer)
        fakes.raises(NetworkError, registration.register, _info(), code="network.timeout")
        assert peer.clock.passed == 30000 and peer.closed, peer.clock.passed
        assert len(net.sockets) == 1
        fakes.restore()


def test_a_slow_gateway_has_30_seconds_in_all():
    data = _http(_good())[0][1]
    peer = fakes.Peer([(1000 * i, data[i : i + 1]) for i in range(len(data))])
    _network(peer)
    fakes.raises(NetworkError, registration.register, _info(), code="network.timeout")
    assert peer.clock.passed == 30000, peer.clock.passed


def test_a_gateway_that_cannot_be_reached():
    net = _network()
    fakes.raises(NetworkError, registration.register, _info(), code="network.connect", says=HOST)
    assert len(net.sockets) == 1
    fakes.restore()
    _network()
    gone = _info("http://no.such.host")
    fakes.raises(NetworkError, registration.register, gone, code="network.dns", says="no.such")


def test_the_library_has_its_own_socket_back_afterwards():
    library = board.requests_module()
    name = "socket" if hasattr(library, "socket") else "usocket"
    real = getattr(library, name)
    fakes.replace(board, "requests_module", lambda: library)
    for reply in (_http(_good()), _http(b"", "307 T", ["Location: http://evil.example/"]), None):
        _network(fakes.Peer(reply))
        try:
            registration.register(_info())
        except (ProtocolError, NetworkError) as error:
            print(repr(error))
        assert getattr(library, name) is real


def test_whatever_comes_between_handshake_and_request_the_socket_is_closed():
    peer = fakes.Peer()
    _network(peer)

    def no_memory(*_):
        raise MemoryError

    fakes.replace(signing, "registration", no_memory)
    try:
        registration.register(_info())
        raise AssertionError("nothing raised")
    except MemoryError:
        assert peer.closed == 1 and not peer.segments


def test_a_library_that_goes_round_the_door_is_not_believed():
    class Response:
        status_code = 200
        content = json.dumps(_good()).encode()

    library = fakes.Namespace(
        __name__="urequests", usocket=None, request=lambda *_, **__: Response()
    )
    fakes.replace(board, "requests_module", lambda: library)
    _network(fakes.Peer(), fakes.Peer())
    fakes.raises(
        ProtocolError, registration.register, _info(), code="protocol.library", says="urequests"
    )
    library = fakes.Namespace(__name__="other", request=lambda *_, **__: Response())
    fakes.raises(
        ProtocolError, registration.register, _info(), code="protocol.library", says="other"
    )
