"""The reply of a registration: good, one that does not decrypt, or none."""

import json

import canaries
import fakes
import gateway
from dynreg.errors import NetworkError, ProtocolError, RegistrationError
from dynreg.register import gateway as firmware

# --- good replies -------------------------------------------------------------------------------


def test_a_secret():
    assert gateway.register(gateway.http(gateway.good())) == canaries.DEVICE_SECRET


def test_a_reply_without_what_is_optional():
    assert (
        gateway.register(gateway.http(gateway.good(RequestId=None, State=None)))
        == canaries.DEVICE_SECRET
    )


def test_a_good_reply_with_whatever_http_status():
    for status in ("201 Created", "400 Bad Request", "500 Internal Server Error"):
        assert gateway.register(gateway.http(gateway.good(), status)) == canaries.DEVICE_SECRET, (
            status
        )
        fakes.restore()


def test_a_reply_in_many_pieces():
    data = gateway.http(gateway.good())[0][1]
    pieces = [(10 * i, data[i : i + 1]) for i in range(len(data))]
    pieces.append((10 * len(data), fakes.END))
    assert gateway.register(pieces) == canaries.DEVICE_SECRET


def test_a_secret_whose_json_fills_its_blocks():
    for size in range(16):
        plain = gateway.PLAIN[:-1] + " " * size + "}"
        reply = gateway.http(gateway.good(Len=len(plain), Payload=gateway.payload(plain)))
        assert gateway.register(reply) == canaries.DEVICE_SECRET, size
        fakes.restore()


def test_the_published_key_payload():
    vector = fakes.vectors()["decrypt"][0]
    reply = gateway.http(gateway.good(Len=vector["len"], Payload=vector["payload"]))
    secret = gateway.register(reply, gateway.info(productSecret=vector["product_secret"]))
    assert secret == json.loads(vector["plaintext"])["psk"]


def test_the_published_own_ca_payload_decrypts_but_holds_no_secret():
    vector = fakes.vectors()["decrypt"][1]
    key = vector["product_secret"]
    assert gateway.payload(vector["plaintext"], secret=key) == vector["payload"]
    assert len(vector["plaintext"]) == vector["len"]
    reply = gateway.http(gateway.good(Len=vector["len"], Payload=vector["payload"]))
    gateway.refused(
        ProtocolError, reply, "protocol.payload", device=gateway.info(productSecret=key)
    )


# --- replies that do not decrypt ----------------------------------------------------------------


def _corrupt(**changes):
    error = gateway.refused(
        ProtocolError,
        gateway.http(gateway.good(**changes)),
        "protocol.payload",
        says=("is productSecret that of " + fakes.PRODUCT),
        retry=900,
    )
    assert error.request_id == "request-1"
    fakes.restore()


def test_a_len_that_is_too_small():
    for length in (len(gateway.PLAIN) - 1, len(gateway.PLAIN) - 16, 1, 0):
        _corrupt(Len=length)


def test_a_len_that_no_slice_takes():
    for length in (1 << 80, -(1 << 80)):
        reply = gateway.http(gateway.good(Len=length))
        gateway.refused(ProtocolError, reply, "protocol.payload")
        fakes.restore()


def test_a_len_that_is_too_large():
    for length in (1000, len(gateway.PLAIN) + 16, len(gateway.PLAIN) + 1):
        _corrupt(Len=length)


def test_a_len_that_is_negative_missing_or_no_number():
    for length in (-1, -11, -len(gateway.PLAIN), None, "73", [73], 73.0):
        _corrupt(Len=length)


def test_a_padding_that_is_not_zero():
    size = -len(gateway.PLAIN) % 16
    assert size > 1
    for pad in (b"\x01" + bytes(size - 1), bytes(size - 1) + b"\x01", b" " * size):
        _corrupt(Payload=gateway.payload(pad=pad))
    _corrupt(Payload=gateway.payload(pad=bytes((size,)) * size))  # PKCS #7


def test_a_padding_that_is_too_long():
    _corrupt(Payload=gateway.payload(pad=bytes(-len(gateway.PLAIN) % 16 + 16)))


def test_a_payload_that_is_no_base64():
    good = gateway.payload()
    for payload in (good[:-1], good[:-2], good[:-4], "", "?", None, 5, [good]):
        _corrupt(Payload=payload)


def test_a_payload_under_another_product_secret():
    _corrupt(Payload=gateway.payload(secret="AnotherProductSecret12345"))


def test_a_payload_with_one_bit_changed():
    good = gateway.payload()
    for place in (0, 30, 60):
        changed = "A" if good[place] != "A" else "B"
        _corrupt(Payload=good[:place] + changed + good[place + 1 :])


def test_json_that_is_cut_off_or_none():
    for plain in (
        gateway.PLAIN[:-1],
        gateway.PLAIN[:-4],
        "",
        "x",
        "[]",
        "null",
        '"psk"',
        "5",
        "\xff",
    ):
        _corrupt(Len=len(plain.encode()), Payload=gateway.payload(plain))


def test_a_psk_that_is_empty_or_no_base64():
    for psk in (
        "",
        "abc",
        "!!!",
        None,
        5,
        ["YWJj"],
        {},
        " YWJj",
        "YWJj\n",
        "YW-j",
        "YWI",
        "YW=I=",
    ):
        plain = json.dumps({"encryptionType": 2, "psk": psk})
        _corrupt(Len=len(plain), Payload=gateway.payload(plain))
    plain = json.dumps({"encryptionType": 2})
    _corrupt(Len=len(plain), Payload=gateway.payload(plain))


def test_another_encryption_type():
    for kind in (0, 1, 3, "2", None):
        plain = json.dumps({"encryptionType": kind, "psk": canaries.DEVICE_SECRET})
        _corrupt(Len=len(plain), Payload=gateway.payload(plain))
    plain = json.dumps({"psk": canaries.DEVICE_SECRET})
    _corrupt(Len=len(plain), Payload=gateway.payload(plain))


# --- replies that are none ----------------------------------------------------------------------


def _no_json(status, page, retry):
    for body in (page, b"", b"\xff\xfe"):
        reply = gateway.http(body, status)
        gateway.refused(ProtocolError, reply, "protocol.reply", says=status[:3], retry=retry)
        fakes.restore()


def test_a_server_fault_without_json_is_worth_another_try():
    for status in ("500 Internal Server Error", "502 Bad Gateway", "503 Busy", "504 Late"):
        _no_json(status, b"<html>busy</html>", retry=True)


def test_a_client_fault_that_passes_is_worth_another_try():
    for status in ("408 Request Timeout", "425 Too Early", "429 Too Many Requests"):
        _no_json(status, b"<html>later</html>", retry=True)


def _asked(status, header, retry, body=b"<html>busy</html>"):
    headers = () if header is None else ["Retry-After: " + header]
    kind = RegistrationError if isinstance(body, dict) else ProtocolError
    reply = gateway.http(body, status, headers)
    gateway.network(fakes.Peer(reply))
    error = fakes.raises(kind, gateway.obtain, gateway.info(), retry=retry)
    fakes.restore()
    return error


def test_retry_after_is_what_the_server_asks_for_up_to_an_hour():
    for header, retry in (
        ("120", 120),
        ("3601", 3600),
        ("99999999999999999999", 3600),
        ("0", 1),
        ("-5", 1),
        ("soon", True),
        ("", True),
        (None, True),
    ):
        for status in ("429 Too Many Requests", "503 Service Unavailable"):
            _asked(status, header, retry)
    _asked("503 Busy", "120", 120, gateway.refusal("FailedOperation", "no"))


def test_retry_after_may_be_a_date():
    # It is 2027-01-02 03:04:05.
    _asked("503 Busy", "Sat, 02 Jan 2027 03:06:05 GMT", 120)
    _asked("503 Busy", "Tue, 24 Nov 2020 09:24:08 GMT", 1)


def test_retry_after_counts_with_no_other_status():
    _asked("404 Not Found", "120", 900)


def test_retry_after_by_urequests_0_9_1():
    fakes.replace(firmware, "library", lambda: __import__("urequests"))
    error = _asked("503 Busy", "77", 77)
    assert error.code == "protocol.reply"


def test_other_replies_without_json_come_later():
    for status in ("204 No Content", "400 Bad Request", "404 Not Found"):
        _no_json(status, b"<html>hello</html>", retry=900)


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
        {"Response": {"Error": {}}},
        {"code": None},
        {"status": "ok"},
    ):
        gateway.refused(ProtocolError, gateway.http(json.dumps(body)), "protocol.reply", retry=900)
        fakes.restore()


def test_an_empty_response():
    gateway.refused(ProtocolError, gateway.http({"Response": {}}), "protocol.payload", retry=900)


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
        gateway.network(peer)
        fakes.raises(ProtocolError, gateway.obtain, gateway.info())
        assert peer.closed
        fakes.restore()


def test_a_connection_that_ends_too_early():
    for data in (b"", b"HTT", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-"):
        gateway.refused(
            NetworkError, [(0, data), (0, fakes.END)] if data else fakes.END, "network.closed"
        )
        fakes.restore()


def test_a_body_that_ends_too_early():
    whole = gateway.http(gateway.good())[0][1]
    for size in (1, 20, 100):
        reply = [(0, whole[:-size]), (0, fakes.END)]
        gateway.refused(
            NetworkError, reply, "network.closed", says="stops in the middle", retry=True
        )
        fakes.restore()
    # Cut at any byte, whatever braces its words hold.
    body = json.dumps({"Response": {"Error": {"Code": "X", "Message": 'a } "}} \\\\'}}}).encode()
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    for size in range(1, len(body)):
        reply = [(0, head + body[:size]), (0, fakes.END)]
        gateway.refused(
            NetworkError, reply, "network.closed", says="stops in the middle", retry=True
        )
        fakes.restore()
    head = whole[: whole.index(b"\r\n\r\n") + 4]
    gateway.refused(NetworkError, [(0, head), (0, fakes.END)], "network.closed", retry=True)
