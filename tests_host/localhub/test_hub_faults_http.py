"""Each fault of the HTTP reply and of its JSON, as raw sockets, httpx and requests see it."""

import gzip
import json
import re
import socket
import time
from base64 import b64decode
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from hubclient import decrypt, signed

from dynreg_tools.hub.faults.reply import ROWS


def exchange(hub, fault):
    """(head, body) of the reply to a good registration, to the end of the connection."""
    hub.fault(fault)
    headers, body = signed(hub)
    url = urlsplit(hub.http)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Host: {url.hostname}", f"Content-Length: {len(body)}", "", ""]
    request = "\r\n".join(["POST /device/register HTTP/1.1", *lines]).encode() + body
    raw = b""
    with socket.create_connection((url.hostname, url.port), timeout=10) as sock:
        sock.sendall(request)
        while data := sock.recv(65536):
            raw += data
    hub.wait_for("fault", name=fault.partition(":")[0])
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


def length(head):
    return re.findall(rb"(?i)content-length: *(\S+)", head)


def good(body):
    return "Payload" in json.loads(body)["Response"]


def unchunked(body):
    """The text of a chunked body, its chunks' sizes, and what comes behind the last."""
    text, sizes = b"", []
    while True:
        line, _, body = body.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if not size:
            return text, sizes, body
        sizes.append(size)
        text += body[:size]
        assert body[size : size + 2] == b"\r\n"
        body = body[size + 2 :]


def is_chunked(head, body):
    text, sizes, trailer = unchunked(body)
    return (
        b"Transfer-Encoding: chunked" in head
        and not length(head)
        and good(text)
        and sizes[:6] == [1, 2, 3, 1, 2, 3]
        and trailer == b"X-Trailer: 1\r\n\r\n"
    )


HTTP = {
    "http-page:404": lambda h, b: (
        h.startswith(b"HTTP/1.1 404 Not Found\r") and b.startswith(b"<html>")
    ),
    "http-error:503": lambda h, b: b" 503 " in h and json.loads(b)["Response"]["Error"]["Code"],
    "http-status:500": lambda h, b: h.startswith(b"HTTP/1.1 500 ") and good(b),
    "http-redirect:307": lambda h, b: (
        b" 307 " in h and b"\r\nLocation: http://another-host.test/" in h and not b
    ),
    "http-redirect-here:301": lambda h, b: b" 301 " in h and b"\r\nLocation: /elsewhere" in h,
    "http-continue": lambda h, b: (
        h == b"HTTP/1.1 100 Continue" and good(b.partition(b"\r\n\r\n")[2])
    ),
    "http-chunked:3": is_chunked,
    "http-chunked-bad": lambda h, b: b"chunked" in h and b.startswith(b"zz\r\n"),
    "http-huge-header:70000": lambda h, b: b"h" * 70000 in h and good(b),
    "http-many-headers:300": lambda h, b: h.count(b"X-One: more") == 300 and good(b),
    "http-huge-body:90000": lambda h, b: len(b) == 90000 and length(h) == [b"90000"] and good(b),
    "http-length-short": lambda h, b: int(length(h)[0]) < len(b) and good(b),
    "http-length-long": lambda h, b: int(length(h)[0]) == len(b) + 9 and good(b),
    "http-length-none": lambda h, b: not length(h) and good(b),
    "http-length-bad": lambda h, b: length(h) == [b"many"],
    "http-length-negative": lambda h, b: length(h) == [b"-1"],
    "http-length-twice": lambda h, b: [int(x) - len(b) for x in length(h)] == [0, 9],
    "http-cut:9": lambda h, b: h == b"HTTP/1.1 " and not b,
    "http-garbage:60": lambda h, b: len(h) == 60 and b"HTTP" not in h,
    "http-gzip": lambda h, b: b"Content-Encoding: gzip" in h and good(gzip.decompress(b)),
    "http-no-reason": lambda h, b: h.startswith(b"HTTP/1.1 200\r\n") and good(b),
    "http-lower-case": lambda h, b: (
        b"\r\ncontent-length: " in h and b"Content" not in h and good(b)
    ),
    "http-late:0.3": lambda h, b: good(b),
    "http-half-late:0.3": lambda h, b: good(b),
}


@pytest.mark.parametrize("fault", HTTP)
def test_http(hub, fault):
    began = time.monotonic()
    head, body = exchange(hub, fault)
    assert HTTP[fault](head, body), (head, body)
    assert (time.monotonic() - began >= 0.3) == ("late" in fault)
    hub.clear_faults()
    assert good(exchange(hub, "http-late:0")[1])


def test_a_strict_client_refuses_what_is_wrong(hub):
    headers, body = signed(hub)
    url = hub.http + "/device/register"
    for fault in (
        "http-chunked-bad",
        "http-length-bad",
        "http-length-long",
        "http-cut:200",
        "http-garbage",
    ):
        hub.fault(fault)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url, content=body, headers=headers, timeout=10)
        hub.clear_faults()
    for fault in (
        "http-continue",
        "http-chunked:5",
        "http-gzip",
        "http-lower-case",
        "http-no-reason",
    ):
        hub.fault(fault)
        assert good(httpx.post(url, content=body, headers=headers, timeout=10).content)
        hub.clear_faults()


def plain(body, secret):
    """What decrypts out of a body, without any check."""
    response = json.loads(body)["Response"]
    return decrypt(secret, response)


def fails(error):
    def check(body, secret):
        with pytest.raises(error):
            plain(body, secret)
        return True

    return check


REPLY = {
    "reply-refused:activated": lambda b, s: (
        json.loads(b)["Response"]["Error"]["Message"] == "device has been activated"
    ),
    "reply-empty": lambda b, s: b == b"",
    "reply-text": lambda b, s: b == b"It works!",
    "reply-half": lambda b, s: b.startswith(b'{"Response": {') and fails(ValueError)(b, s),
    "reply-list": lambda b, s: json.loads(b) == [],
    "reply-null": lambda b, s: json.loads(b) == {"Response": None},
    "reply-other": lambda b, s: json.loads(b) == {"status": "ok"},
    "reply-deep": lambda b, s: b == b"[" * 2000 + b"]" * 2000,
    "reply-not-utf8": fails(UnicodeDecodeError),
    "reply-no-payload": lambda b, s: "Payload" not in json.loads(b)["Response"],
    "reply-no-len": lambda b, s: "Len" not in json.loads(b)["Response"],
    "reply-payload-number": lambda b, s: json.loads(b)["Response"]["Payload"] == 7,
    "reply-payload-text": fails(ValueError),
    "reply-payload-short": lambda b, s: len(b64decode(json.loads(b)["Response"]["Payload"])) == 3,
    "reply-len-more": fails((AssertionError, ValueError)),
    "reply-len-less": fails((AssertionError, ValueError)),
    "reply-len-negative": fails((AssertionError, ValueError)),
    "reply-padding": fails(AssertionError),
    "reply-other-key": fails((AssertionError, ValueError)),
    "reply-no-psk": lambda b, s: plain(b, s) == {"encryptionType": 2},
    "reply-psk-empty": lambda b, s: plain(b, s)["psk"] == "",
    "reply-psk-number": lambda b, s: plain(b, s)["psk"] == 7,
    "reply-psk-text": lambda b, s: "!" in plain(b, s)["psk"],
    "reply-other-mode": lambda b, s: plain(b, s) == {"encryptionType": 1},
    "reply-plain-text": fails(ValueError),
    "reply-no-state": lambda b, s: "State" not in json.loads(b)["Response"] and plain(b, s)["psk"],
}


@pytest.mark.parametrize("fault", REPLY)
def test_reply(hub, fault):
    hub.fault(fault)
    headers, body = signed(hub)
    reply = requests.post(hub.http + "/device/register", body, headers=headers, timeout=10)
    assert reply.status_code == 200
    assert REPLY[fault](reply.content, hub.product_secret), reply.content
    assert bool(hub.devices()) == (not fault.startswith("reply-refused"))


@pytest.mark.parametrize(
    "row", ["throttled", "internal", "unavailable", "unknown", "empty", "off", "signature"]
)
def test_each_refusal_has_its_words(hub, row):
    hub.fault(f"reply-refused:{row}")
    headers, body = signed(hub)
    reply = requests.post(
        hub.https + "/device/register", body, headers=headers, timeout=10, verify=str(hub.ca_pem)
    )
    error = reply.json()["Response"]["Error"]
    assert (error["Code"], error["Message"]) == ROWS[row]
    assert hub.wait_for("refused")["code"] == ROWS[row][0]
