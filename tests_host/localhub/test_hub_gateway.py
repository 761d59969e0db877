"""The gateway over http and https, with requests, httpx and bare sockets."""

import re
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from hubclient import Raw, decrypt, logged_in, post, register, signed

from dynreg_tools.hub import listener
from dynreg_tools.hub.http import registration

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def bare(hub, data, url=None):
    """All the bytes that come back for `data`."""
    with Raw(url or hub.http) as raw:
        raw.send(data)
        return raw.ended()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", ["requests", "httpx"])
def test_registration(hub, scheme, client):
    url = getattr(hub, scheme)
    headers, body = signed(hub, host=urlsplit(url).hostname)
    if client == "requests":
        reply = requests.post(
            url + "/device/register", data=body, headers=headers, verify=hub.ca_pem, timeout=5
        )
    else:
        context = ssl.create_default_context(cafile=str(hub.ca_pem))
        with httpx.Client(verify=context, trust_env=False) as session:
            reply = session.post(url + "/device/register", content=body, headers=headers)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    response = reply.json()["Response"]
    assert set(response) == {"Len", "Payload", "RequestId", "State"}
    assert response["State"] == 0
    assert UUID.fullmatch(response["RequestId"])
    secret = decrypt(hub.product_secret, response)
    assert set(secret) == {"encryptionType", "psk"}
    assert secret["encryptionType"] == 2
    [device] = hub.devices()
    assert (device["name"], device["psk"]) == ("dev-01", secret["psk"])
    assert not device["activated"]
    assert device["automatic"]
    event = hub.wait_for("registered", scheme=scheme)
    assert event["product_id"] == hub.product_id
    assert event["device_name"] == "dev-01"
    assert event["state"] == 0
    assert event["request_id"] == response["RequestId"]


def refused(hub, row, **changes):
    response = post(hub, **changes)
    code, message = registration.REFUSALS[row]
    assert response["Error"] == {"Code": code, "Message": message}
    assert UUID.fullmatch(response["RequestId"])
    event = hub.wait_for("refused", code=code, request_id=response["RequestId"])
    assert event["message"] == message
    return event


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("body", {"body": b""}),
        ("body", {"body": b"[1]"}),
        ("body", {"body": b'{"ProductId":'}),
        ("body", {"body": b"\xff"}),
        ("body", {"body": b"[" * 10000}),
        ("fields", {"body": b"{}"}),
        ("fields", {"body": b'{"ProductId":"ABCDEFGHIJ","DeviceName":1}'}),
        ("product", {"product_id": "UNKNOWN"}),
        ("algorithm", {"algorithm": None}),
        ("algorithm", {"algorithm": "HmacSha256"}),
        ("algorithm", {"algorithm": "hmacmd5"}),
        ("timestamp", {"timestamp": None}),
        ("timestamp", {"timestamp": "soon"}),
        ("timestamp", {"timestamp": -1}),
        ("nonce", {"nonce": None}),
        ("nonce", {"nonce": 0}),
        ("nonce", {"nonce": -5}),
        ("nonce", {"nonce": 2**31}),
        ("nonce", {"nonce": "0x10"}),
        ("signature", {"secret": "x" * 24}),
        ("signature", {"signature": None}),
        ("signature", {"signature": "AAAA"}),
        ("signature", {"signature": "\xe9"}),
        ("signature", {"host": "other.example"}),
        ("signature", {"path": "/device/registers"}),
        ("device_name", {"device_name": ""}),
        ("device_name", {"device_name": "a b"}),
        ("device_name", {"device_name": "x" * 49}),
    ],
)
def test_refusals(hub, row, changes):
    refused(hub, row, **changes)
    assert hub.devices() == []


def test_known_messages():
    texts = " | ".join(message for _, message in registration.REFUSALS.values())
    for known in (
        "signature check failed",
        "device has been activated",
        "Pre create mode: device not exists",
        "Not support dynamic device register, please check setting first",
    ):
        assert known in texts
    assert len({code for code, _ in registration.REFUSALS.values()}) == len(registration.REFUSALS)


def test_signature_is_over_the_bytes_sent(hub):
    headers, body = signed(hub)
    changed = body.replace(b'", "', b'","')
    assert changed != body
    reply = requests.post(hub.http + "/device/register", changed, headers=headers, timeout=5)
    assert reply.json()["Response"]["Error"]["Message"] == "signature check failed"


def test_timestamp_window(start_hub):
    hub = start_hub(time_window=300)
    now = int(time.time())
    assert "Payload" in post(hub, "zero", timestamp=0)
    assert "Payload" in post(hub, "early", timestamp=now - 290)
    assert "Payload" in post(hub, "late", timestamp=now + 290)
    refused(hub, "expired", timestamp=now - 310)
    refused(hub, "expired", timestamp=now + 310)
    refused(hub, "signature", timestamp=now - 310, secret="x" * 24)
    assert {device["name"] for device in hub.devices()} == {"zero", "early", "late"}


def test_nonce_limits(hub):
    assert "Payload" in post(hub, nonce=1)
    assert "Payload" in post(hub, nonce=2**31 - 1)


def test_register_types(hub):
    hub.set_product(register_type=0)
    refused(hub, "off")
    hub.set_product(register_type=1)
    refused(hub, "not_created")
    hub.add_device("dev-01")
    response = post(hub)
    assert response["State"] == 1
    assert hub.devices()[0]["psk"] == decrypt(hub.product_secret, response)["psk"]
    hub.set_product(register_type=0)
    refused(hub, "off")
    hub.set_product(register_type=2)
    assert "Payload" in post(hub, "dev-02")


def test_register_limit_counts_automatic_devices_only(start_hub):
    hub = start_hub(register_limit=1, devices=["made"])
    assert "Payload" in post(hub, "made")
    assert "Payload" in post(hub, "first")
    refused(hub, "limit", device_name="second")
    assert post(hub, "first")["State"] == 1
    hub.delete_device("first")
    assert "Payload" in post(hub, "second")
    hub.set_product(register_limit=0)
    refused(hub, "limit", device_name="third")


def test_repeat_gives_another_secret(hub):
    first, second = post(hub), post(hub)
    assert (first["State"], second["State"]) == (0, 1)
    secrets = [decrypt(hub.product_secret, reply)["psk"] for reply in (first, second)]
    assert secrets[0] != secrets[1] == hub.devices()[0]["psk"]


def test_activated_device_is_refused_until_deleted(hub):
    with logged_in(hub):
        event = refused(hub, "activated")
    assert event["device_name"] == "dev-01"
    assert event["product_id"] == hub.product_id
    hub.delete_device("dev-01")
    assert post(hub)["State"] == 0


def test_other_paths_and_methods(hub):
    for method in ("GET", "HEAD", "POST"):
        reply = requests.request(method, hub.http + "/", timeout=5)
        assert reply.status_code == 404
        age = time.time() - parsedate_to_datetime(reply.headers["Date"]).timestamp()
        assert -1 < age < 3
        assert reply.content == b"" if method == "HEAD" else "Error" in reply.json()["Response"]
    for method in ("GET", "PUT", "DELETE"):
        reply = requests.request(method, hub.http + "/device/register", timeout=5)
        assert reply.status_code == 405
        assert reply.headers["Allow"] == "POST"
        assert "Error" in reply.json()["Response"]
    headers, body = signed(hub)
    reply = requests.post(hub.http + "/device/register?x=1", body, headers=headers, timeout=5)
    assert reply.status_code == 404
    assert hub.wait_for("http_bad", count=7)["status"] == 404
    assert "x=1" not in str(hub.events)


def test_one_connection_takes_several_requests(hub):
    with requests.Session() as session:
        ports = set()
        for name in ("a", "b", "c"):
            headers, body = signed(hub, name)
            with session.post(
                hub.http + "/device/register", body, headers=headers, timeout=5, stream=True
            ) as reply:
                ports.add(reply.raw._original_response.fp.raw._sock.getsockname()[1])
                assert "Payload" in reply.json()["Response"]
    assert len(ports) == 1


def raw_request(hub, name="dev-01", version="1.1", extra=()):
    headers, body = signed(hub, name)
    lines = [f"POST /device/register HTTP/{version}", f"Host: {urlsplit(hub.http).netloc}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", *extra, "", ""]
    return "\r\n".join(lines).encode() + body


def test_http_1_0(hub):
    answer = bare(hub, raw_request(hub, version="1.0"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"Payload"' in answer


def test_connection_close_is_honoured(hub, monkeypatch):
    monkeypatch.setattr(listener, "LINGER", 8)
    start = time.monotonic()
    answer = bare(hub, raw_request(hub, extra=["Connection: close"]))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert time.monotonic() - start < 4  # at once, not after the time for lingering


def test_raw_requests_are_kept(hub):
    one, two = raw_request(hub, "a"), raw_request(hub, "b", extra=["Connection: close"])
    answer = bare(hub, one + two)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert hub.requests == [one, two]


def test_request_in_small_pieces(hub):
    data = raw_request(hub, extra=["Connection: close"])
    with Raw(hub.http) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), 50):
            raw.send(data[at : at + 50])
        assert b'"Payload"' in raw.ended()
    assert hub.requests == [data]


def test_chunked_request(hub):
    headers, body = signed(hub)
    pieces = iter([body[:10], body[10:]])
    reply = requests.post(hub.http + "/device/register", pieces, headers=headers, timeout=5)
    assert "Payload" in reply.json()["Response"]


def test_expect_100_continue(hub):
    data = raw_request(hub, extra=["Expect: 100-continue", "Connection: close"])
    head, _, body = data.partition(b"\r\n\r\n")
    with Raw(hub.http) as raw:
        raw.send(head + b"\r\n\r\n")
        assert raw.read(12) == b"HTTP/1.1 100"
        raw.send(body)
        assert b'"Payload"' in raw.ended()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nSignature hunter2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 17000, 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 17000\r\n\r\n" + b"x" * 17000, 413),
    ],
)
def test_bad_requests(hub, data, status):
    answer = bare(hub, data)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'"Error"' in answer
    assert b"\r\nConnection: close\r\n" in answer
    event = hub.wait_for("http_bad", status=status)
    assert event["reason"]
    assert "hunter2" not in event["reason"]
    assert hub.requests == [data]


def test_body_of_just_16_kb_passes(hub):
    body = b'{"ProductId":"ABCDEFGHIJ","DeviceName":"dev-01"}'.ljust(16 * 1024)
    assert "Payload" in post(hub, body=body)


def test_half_a_request(start_hub):
    hub = start_hub(idle_timeout=0.2)
    assert bare(hub, b"") == b""
    assert hub.events == []
    assert bare(hub, b"POST / HT") == b""
    assert hub.wait_for("http_bad", status=408)
    with Raw(hub.http) as raw:
        raw.send(raw_request(hub)[:-5])
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.ended().startswith(b"HTTP/1.1 400 ")


def test_https_needs_the_hub_ca(hub):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(hub.https, timeout=5)
    event = hub.wait_for("tls_failed", port="https")
    assert "UNKNOWN_CA" in event["reason"]
    assert bare(hub, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", hub.https) == b""
    assert hub.wait_for("tls_failed", reason="HTTP_REQUEST")


def test_exchanged_ca(hub):
    assert requests.get(hub.https, verify=hub.ca_pem, timeout=5).status_code == 404
    hub.exchange_ca()
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(hub.https, verify=hub.ca_pem, timeout=5)
    assert hub.wait_for("tls_failed", port="https")
    hub.restore_ca()
    assert requests.get(hub.https, verify=hub.ca_pem, timeout=5).status_code == 404


def test_certificate(start_hub):
    hub = start_hub(cert_key="rsa")
    port = urlsplit(hub.https).port
    context = ssl.create_default_context(cadata=hub.ca_der.read_bytes())
    for name in ("localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as sock,
            context.wrap_socket(sock, server_hostname=name) as tls,
        ):
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        assert "RSA" in tls.cipher()[0]


def test_registration_is_kept_apart_for_each_device(hub):
    assert register(hub, "a") != register(hub, "b")
    assert [device["name"] for device in hub.devices()] == ["a", "b"]


def test_an_address_stands_among_the_certificates_names_too(hub):
    """mbedTLS before 3.5 (MicroPython before 1.24) looks for it nowhere else."""
    context = ssl.create_default_context(cafile=hub.ca_pem)
    with (
        socket.create_connection(("127.0.0.1", hub.ports["https"])) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as stream,
    ):
        names = stream.getpeercert()["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in names
    assert ("DNS", "127.0.0.1") in names
