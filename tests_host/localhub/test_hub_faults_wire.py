"""Each fault of TCP, TLS and TLS-PSK, as raw sockets and Python's ssl see it."""

import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
import requests
from hubclient import Raw, logged_in, signed
from test_hub_psk import FATAL_ALERT, SECRET, micropython

from tests_host.corpus import packets

HELLO = bytes.fromhex("16030100050100000100")  # the beginning of a ClientHello, as good as any
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_GET = GET[:-2] + b"Connection: close\r\n\r\n"


def exchange(url, data, timeout=10):
    """What comes back to `data`, and how it ended: "closed", "reset" or "silence"."""
    parts, came = urlsplit(url), b""
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as sock:
            sock.sendall(data)
            while more := sock.recv(4096):
                came += more
    except ConnectionResetError:
        return came, "reset"
    except TimeoutError:
        return came, "silence"
    return came, "closed"


def whole(hub):
    """A whole answer of the gateway."""
    return exchange(hub.http, LAST_GET)[0]


def refused(hub):
    with pytest.raises(ConnectionRefusedError):
        exchange(hub.http, b"")
    if "gateway" not in hub.faults[0]["service"]:
        assert logged_in(hub)


def ignores(hub):
    assert exchange(hub.http, b"", 0.3) == (b"", "silence")
    hub.clear_faults()
    hub.fault("tcp-ignore@gateway:0.2")  # the system sends its SYN again after a second
    assert whole(hub).startswith(b"HTTP/1.1 404")
    assert not hub.faults


def restarts(hub):
    raw = Raw(hub.http)
    hub.fault("tcp-restart@gateway:0.3")
    with pytest.raises(ConnectionResetError):
        raw.ended()
    with pytest.raises(ConnectionRefusedError):
        exchange(hub.http, b"")
    raw.socket.close()
    deadline = time.monotonic() + 3
    while hub.faults and time.monotonic() < deadline:
        time.sleep(0.02)
    assert whole(hub).startswith(b"HTTP/1.1 404")


def resets(hub):
    came, end = exchange(hub.http, GET)
    assert came == b"HTTP/1.1 "
    assert end == "reset"


def resets_inward(hub):
    with Raw(hub.http) as raw:
        raw.send(GET[:6])
        time.sleep(0.05)  # nothing yet: one byte is missing
        raw.send(GET[6:])
        with pytest.raises(ConnectionResetError):
            raw.ended()
    assert not hub.requests


def closes(hub):
    assert exchange(hub.http, GET) == (b"HTTP/1.1 ", "closed")


def falls_silent(hub):
    assert exchange(hub.http, GET, 0.3) == (b"HTTP/1.1 ", "silence")


def drips(hub):
    began = time.monotonic()
    with Raw(hub.http) as raw:
        raw.send(GET)
        assert raw.read(20).startswith(b"HTTP/1.1 404")
    assert time.monotonic() - began >= 19 * 0.01


def in_pieces(hub):
    assert whole(hub).startswith(b"HTTP/1.1 404")


def wait_for_second_answer(hub, name="dev-02"):
    """Seconds from one small answer to the next, which the hub has at the same time."""
    with logged_in(hub, name) as raw:
        # As a device whose TCP has been quiet for a while: its ACKs wait for company.
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        raw.send(packets.subscribe(7, f"{hub.product_id}/{name}/control") + b"\xc0\0")
        assert raw.packet()[0] == 0x90
        began = time.monotonic()
        assert raw.packet()[0] == 0xD0
        return time.monotonic() - began


def holds_back(hub):
    assert wait_for_second_answer(hub) >= 0.02


def sends_at_once(hub):
    # The machine may be busy: one of ten is enough, since with Nagle's algorithm none is.
    waits = (wait_for_second_answer(hub, f"dev-1{number}") for number in range(10))
    assert any(wait < 0.02 for wait in waits)


def is_late(hub):
    began = time.monotonic()
    assert whole(hub).startswith(b"HTTP/1.1 404")
    assert time.monotonic() - began >= 0.2


def flips(hub):
    assert whole(hub).startswith(b"HUTP/1.1 404")


TCP = {
    "tcp-refuse@gateway": refused,
    "tcp-ignore@gateway": ignores,
    "tcp-restart": restarts,
    "tcp-reset@gateway:9": resets,
    "tcp-reset-in@gateway:7": resets_inward,
    "tcp-close@gateway:9": closes,
    "tcp-silent@gateway:9": falls_silent,
    "tcp-drip@gateway:0.01": drips,
    "tcp-pieces": in_pieces,
    "tcp-late@gateway:0.2": is_late,
    "tcp-nagle@broker": holds_back,
    "tcp-nodelay@broker": sends_at_once,
    "tcp-flip@gateway:1": flips,
}


@pytest.mark.parametrize("fault", TCP)
def test_tcp(start_hub, fault):
    hub = start_hub(nodelay=fault.startswith("tcp-nagle"))
    if fault != "tcp-restart":
        hub.fault(fault)
    TCP[fault](hub)
    assert hub.wait_for("fault", name=fault.partition("@")[0])
    hub.clear_faults()
    headers, body = signed(hub)
    assert requests.post(hub.http + "/device/register", body, headers=headers, timeout=10).ok
    logged_in(hub).socket.close()


@pytest.mark.parametrize("nodelay", [False, True])
def test_small_answers(start_hub, nodelay):
    (sends_at_once if nodelay else holds_back)(start_hub(nodelay=nodelay))


def wait_for_the_end(hub):
    """Seconds from an https answer to the end of its connection, for a client that reads on."""
    with Raw(hub.https, ssl.create_default_context(cafile=str(hub.ca_pem))) as raw:
        raw.send(LAST_GET)
        raw.socket.recv(4096)
        began = time.monotonic()
        raw.ended()
        return time.monotonic() - began


def test_the_end_of_a_connection_waits_for_no_acknowledgement(hub):
    assert any(wait_for_the_end(hub) < 0.02 for _ in range(10))


def test_flip_turns_one_bit(hub):
    for at, want in ((0, b"I"), (1, b"U"), (2, b"U")):
        hub.fault(f"tcp-flip@gateway:{at}")
        assert whole(hub)[at : at + 1] == want


def test_a_fault_of_one_service_leaves_the_other_alone(hub):
    hub.fault("tcp-refuse@broker")
    hub.fault("tls-unknown-ca@broker")
    assert whole(hub)
    assert requests.get(hub.https, verify=str(hub.ca_pem), timeout=10).status_code == 404
    with pytest.raises(ConnectionRefusedError):
        Raw(hub.mqtt)


def handshake(url, ca, **limits):
    """The TLS version of a handshake with the service; raises ssl.SSLError."""
    context = ssl.create_default_context(cafile=str(ca))
    for name, value in limits.items():
        setattr(context, name, value)
    with Raw(url, context) as raw:
        raw.send(LAST_GET)  # TLS 1.3 tells of a missing certificate only now
        raw.ended()
        return raw.socket.version()


def cannot_verify(*words):
    def check(hub, url):
        with pytest.raises(ssl.SSLCertVerificationError) as caught:
            handshake(url, hub.ca_pem)
        assert any(word in str(caught.value) for word in words)

    return check


def only_13(hub, url):
    assert handshake(url, hub.ca_pem) == "TLSv1.3"
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION"):
        handshake(url, hub.ca_pem, maximum_version=ssl.TLSVersion.TLSv1_2)


def only_11(hub, url):
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"):
        # Debian's Python takes 1.1 by itself, and ends in its signatures.
        handshake(url, hub.ca_pem, minimum_version=ssl.TLSVersion.TLSv1_2)


def wants_a_certificate(hub, url):
    with pytest.raises(ssl.SSLError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"):
        handshake(url, hub.ca_pem)


def alerts(hub, url):
    assert exchange(url, HELLO) == (bytes((21, 3, 3, 0, 2, 2, 80)), "closed")
    with pytest.raises(ssl.SSLError, match="INTERNAL_ERROR"):
        handshake(url, hub.ca_pem)


def speaks_http(hub, url):
    assert exchange(url, HELLO)[0].startswith(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        handshake(url, hub.ca_pem)


def speaks_nonsense(hub, url):
    assert len(exchange(url, HELLO)[0]) == 50
    with pytest.raises(ssl.SSLError):
        handshake(url, hub.ca_pem)


TLS = {
    "tls-unknown-ca": cannot_verify("unable to get local issuer", "self-signed certificate"),
    "tls-expired": cannot_verify("certificate has expired"),
    "tls-not-yet": cannot_verify("not yet valid"),
    "tls-wrong-name": cannot_verify("Hostname mismatch"),
    "tls-self-signed": cannot_verify("self-signed certificate", "self signed certificate"),
    "tls-version:1.3": only_13,
    "tls-version:1.1": only_11,
    "tls-client-certificate": wants_a_certificate,
    "tls-alert:80": alerts,
    "tls-plain": speaks_http,
    "tls-garbage:50": speaks_nonsense,
}


@pytest.mark.parametrize("fault", TLS)
@pytest.mark.parametrize("service", ["gateway", "broker"])
def test_tls(hub, fault, service):
    name, _, argument = fault.partition(":")
    url = hub.https if service == "gateway" else hub.mqtts
    hub.fault(f"{name}@{service}" + (argument and ":" + argument))
    TLS[fault](hub, url)
    assert hub.wait_for("fault", name=name, service=service)
    hub.clear_faults()
    assert handshake(url, hub.ca_pem)


PSK = ("psk-off", "psk-refused", "psk-wrong-key")


@pytest.mark.parametrize("fault", PSK)
@pytest.mark.process
def test_psk(hub, fault):
    if not hub.psk:
        pytest.skip("this Python cannot serve TLS-PSK")
    hub.add_device("dev-01", SECRET)
    assert micropython(hub)["connack"] == 0
    hub.fault(fault)
    assert micropython(hub) == {"error": FATAL_ALERT}
    assert hub.wait_for("fault", name=fault)
    assert hub.wait_for("tls_failed", port="mqtts")
    assert handshake(hub.mqtts, hub.ca_pem)  # certificates go on
    hub.clear_faults()
    assert micropython(hub)["connack"] == 0
