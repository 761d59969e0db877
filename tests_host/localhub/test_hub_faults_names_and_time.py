"""Each fault of the name server, the time over MQTT and NTP, as dnslib, MQTT and UDP see it."""

import json
import socket
import struct
import time

import pytest
import requests
from dnslib import QTYPE, RCODE, DNSError, DNSRecord
from hubclient import logged_in
from test_hub_process import ask_time

from tests_host.corpus import packets

YEAR = 365.25 * 86400


def ask(hub, name="hub.test", kind="A", timeout=10):
    """(question, answer or None) over UDP, not looked at."""
    question = DNSRecord.question(name, kind)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(question.pack(), hub.dns)
        try:
            return question, sock.recv(512)
        except TimeoutError:
            return question, None


def addresses(answer):
    return [str(rr.rdata) for rr in DNSRecord.parse(answer).rr if rr.rtype == QTYPE.A]


def code(name):
    return lambda q, a: DNSRecord.parse(a).header.rcode == getattr(RCODE, name)


def is_nonsense(_question, answer):
    try:
        return not DNSRecord.parse(answer).rr
    except DNSError:
        return True


DNS = {
    "dns-silent": lambda q, a: a is None,
    "dns-nxdomain": code("NXDOMAIN"),
    "dns-servfail": code("SERVFAIL"),
    "dns-refused": code("REFUSED"),
    "dns-empty": lambda q, a: DNSRecord.parse(a).header.rcode == 0 and not addresses(a),
    "dns-ipv6": lambda q, a: DNSRecord.parse(a).rr[0].rtype == QTYPE.AAAA and not addresses(a),
    "dns-garbage": is_nonsense,
    "dns-cut": is_nonsense,
    "dns-truncated": lambda q, a: DNSRecord.parse(a).header.tc == 1 and not addresses(a),
    "dns-wrong-id": lambda q, a: DNSRecord.parse(a).header.id == q.header.id ^ 1,
    "dns-alias": lambda q, a: (
        DNSRecord.parse(a).rr[0].rtype == QTYPE.CNAME and addresses(a) == ["127.0.0.1"]
    ),
    "dns-nobody": lambda q, a: addresses(a) == ["127.0.0.3"],
    "dns-portal": lambda q, a: addresses(a) == ["127.0.0.2"],
    "dns-late:0.15": lambda q, a: addresses(a) == ["127.0.0.1"],
}


@pytest.mark.parametrize("fault", DNS)
def test_dns(hub, fault):
    hub.fault(fault)
    began = time.monotonic()
    assert DNS[fault](*ask(hub, timeout=0.3 if fault == "dns-silent" else 10)), fault
    if "late" in fault:
        assert time.monotonic() - began >= 0.15
    assert hub.wait_for("fault", name=fault.partition(":")[0])
    hub.clear_faults()
    question, answer = ask(hub)
    assert addresses(answer) == ["127.0.0.1"]
    assert DNSRecord.parse(answer).header.id == question.header.id


def test_the_name_server_knows_one_name(hub):
    assert addresses(ask(hub, "gateway.hub.test")[1]) == ["127.0.0.1"]
    assert addresses(ask(hub, "HUB.TEST")[1]) == ["127.0.0.1"]
    for name in ("example.com", "nothub.test", "test", ""):
        assert DNSRecord.parse(ask(hub, name)[1]).header.rcode == RCODE.NXDOMAIN
    assert not DNSRecord.parse(ask(hub, kind="AAAA")[1]).rr
    assert hub.wait_for("name_asked", name="gateway.hub.test")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        for data in (b"", b"\0" * 11, DNSRecord.question("hub.test").reply().pack()):
            sock.sendto(data, hub.dns)
            with pytest.raises(TimeoutError):
                sock.recv(512)


def test_names_that_the_hub_is_given(start_hub):
    hub = start_hub(names=["*.iotcloud.tencentdevices.com", "Gateway.Example", "192.0.2.7"])
    for name in ("ABC.iotcloud.tencentdevices.com", "gateway.example", "a.hub.test"):
        assert addresses(ask(hub, name)[1]) == ["127.0.0.1"]
    for name in ("iotcloud.tencentdevices.com", "a.gateway.example"):
        assert DNSRecord.parse(ask(hub, name)[1]).header.rcode == RCODE.NXDOMAIN


def test_the_portal_is_another_host(hub):
    hub.fault("dns-portal")
    urls = (f"http://127.0.0.2:{hub.ports['http']}/x", f"https://127.0.0.2:{hub.ports['https']}/x")
    reply = requests.get(urls[0], allow_redirects=False, timeout=10)
    assert reply.status_code == 302
    assert reply.headers["Location"] == "http://login.portal.test/"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(urls[1], verify=str(hub.ca_pem), timeout=10)
    hub.clear_faults()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            requests.get(urls[0], allow_redirects=False, timeout=10)
        except requests.exceptions.ConnectionError:
            return
    raise AssertionError("the portal is still there")


def answers(hub, wait):
    """(the payloads that come for a question for the time, after how many seconds the first).

    The first may take `wait` seconds, each other one 0.15.
    """
    own = f"{hub.product_id}/dev-01"
    payloads = []
    with logged_in(hub) as raw:
        raw.send(packets.subscribe(1, f"$sys/operation/result/{own}"))
        raw.packet()
        began = time.monotonic()
        raw.send(packets.publish(f"$sys/operation/{own}", b'{"type":"get","resource":["time"]}'))
        raw.socket.settimeout(wait)
        first = None
        try:
            while True:
                _, body = raw.packet()
                first = first or time.monotonic() - began
                payloads.append(body[2 + int.from_bytes(body[:2], "big") :])
                raw.socket.settimeout(0.15)
        except TimeoutError:
            return payloads, first


def one(check):
    """A check of the one answer as JSON."""
    return lambda payloads: len(payloads) == 1 and check(json.loads(payloads[0]))


def near(answer, years=0.0):
    want = time.time() + years * YEAR
    return all(
        abs(answer[key] / scale - want) < 5
        for key, scale in (("time", 1), ("ntptime1", 1000), ("ntptime2", 1000))
    )


def all_are(value):
    return one(lambda a: [a["time"], a["ntptime1"], a["ntptime2"]] == [value] * 3)


TIME = {
    "time-missing": lambda p: p == [],
    "time-late:0.1": one(near),
    "time-twice": lambda p: len(p) == 2 and p[0] == p[1] and near(json.loads(p[0])),
    "time-text": lambda p: p == [b"half past two"],
    "time-bytes": lambda p: p == [b"\xff\xfe{"],
    "time-list": one(lambda a: a == [1, 2]),
    "time-number": one(lambda a: abs(a - time.time()) < 5),
    "time-empty": lambda p: p == [b""],
    "time-other-type": one(lambda a: a["type"] == "ssh"),
    "time-other-first": lambda p: json.loads(p[0])["type"] == "ssh" and near(json.loads(p[1])),
    "time-no-ntptime": one(lambda a: set(a) == {"type", "time"}),
    "time-half-ntptime": one(lambda a: set(a) == {"type", "time", "ntptime1"}),
    "time-no-time": one(lambda a: a == {"type": "get", "result": 0}),
    "time-words": all_are("now"),
    "time-null": all_are(None),
    "time-zero": all_are(0),
    "time-huge": all_are(10**39),
    "time-off:-10": one(lambda a: near(a, -10)),
}


@pytest.mark.parametrize("fault", TIME)
def test_time(hub, fault):
    hub.fault(fault + "*1")
    payloads, first = answers(hub, 0.15 if fault == "time-missing" else 10)
    assert TIME[fault](payloads), payloads
    assert hub.wait_for("fault", name=fault.partition(":")[0])
    if "late" in fault:
        assert first >= 0.1


def transmit(packet):
    return struct.unpack(">I", packet[40:44])[0] - 2208988800


NTP = {
    "ntp-silent": None,
    "ntp-kiss": lambda p: (
        len(p) == 48 and p[1] == 0 and p[12:16] == b"RATE" and p[40:] == bytes(8)
    ),
    "ntp-short": lambda p: len(p) == 20,
    "ntp-garbage": lambda p: len(p) == 48 and p[24:] == bytes(24),
    "ntp-off:-20": lambda p: abs(transmit(p) - time.time() + 20 * YEAR) < 5,
}


@pytest.mark.parametrize("fault", NTP)
def test_ntp(hub, fault):
    request = bytes((4 << 3 | 3, 0, 6)) + bytes(45)
    hub.fault(fault)
    if NTP[fault]:
        assert NTP[fault](ask_time(hub.ntp, request))
    else:
        with pytest.raises(TimeoutError):
            ask_time(hub.ntp, request)
    hub.clear_faults()
    assert abs(transmit(ask_time(hub.ntp, request)) - time.time()) < 5
