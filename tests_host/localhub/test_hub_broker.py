"""The broker against paho-mqtt over TCP and TLS, and against bare sockets."""

import json
import ssl
import time

import pytest
from hubclient import Raw, credentials, logged_in, post, register
from hubpaho import Paho

from tests_host.corpus import packets

PSK = "acyv3QDJrRa0fW5UE58KnQ=="
TIME_REQUEST = b'{"type":"get","resource":["time"]}'


def own(hub, name="dev-01"):
    return f"{hub.product_id}/{name}"


@pytest.mark.parametrize("tls", [False, True])
def test_documented_run_step_by_step(hub, tls):
    psk = register(hub)
    with Paho(hub, credentials(hub, "dev-01", psk), tls) as device:
        login = hub.wait_for("login", client_id=hub.product_id + "dev-01")
        assert login["tls"] == ("certificate" if tls else "none")
        assert login["keepalive"] == 60
        assert login["first"]
        assert login["clean_session"]
        result = f"$sys/operation/result/{own(hub)}"
        device.client.subscribe(result, 0)
        device.client.publish(f"$sys/operation/{own(hub)}", TIME_REQUEST)
        message = device.wait(device.messages)
        assert message.topic == result
        assert message.qos == 0
        answer = json.loads(message.payload)
        assert set(answer) == {"type", "time", "ntptime1", "ntptime2"}
        assert answer["type"] == "get"
        assert abs(answer["time"] - time.time()) < 2
        assert answer["ntptime1"] <= answer["ntptime2"] < time.time() * 1000 + 1
        assert answer["ntptime2"] // 1000 == answer["time"]
        assert device.grants[0] == 0
    assert hub.wait_for("disconnect")["reason"] == "client"
    assert hub.wait_for("subscribe", topic=result)["granted"] == 0
    assert hub.wait_for("publish", topic=f"$sys/operation/{own(hub)}")["size"] == len(TIME_REQUEST)
    assert hub.wait_for("time_answered")["conn"] == login["conn"]
    assert hub.devices()[0]["activated"]


def connack(hub, data):
    """The CONNACK code for a CONNECT; None when the hub closes without one."""
    with Raw(hub.mqtt) as raw:
        raw.send(data)
        answer = raw.ended()
    assert answer == b"" or (len(answer) == 4 and answer[:3] == b"\x20\x02\x00")
    return answer[3] if answer else None


def test_refused_logins(hub):
    hub.add_device("known", PSK)
    hub.add_device("empty")
    good = credentials(hub, "known", PSK)
    client_id, username, password = good
    other = credentials(hub, "known", "lDZ6Uqt+I9E0wW7rvDUs7Q==")
    past = credentials(hub, "known", PSK, expiry=int(time.time()) - 1)
    will = {"flags": 0xC6, "will": packets.text("t") + packets.text("m")}
    cases = [
        (packets.connect(*good, level=3), 1, "level"),
        (packets.connect(*good, level=5), 1, "level"),
        (packets.connect("", username, password), 2, "client id"),
        (packets.connect("FOREIGN0" + "known", username, password), 2, "client id"),
        (packets.connect(hub.product_id + "a b", username, password), 2, "client id"),
        (packets.connect(client_id), 4, "missing"),
        (packets.connect(client_id, username), 4, "missing"),
        (packets.connect(*other), 4, "wrong"),
        (packets.connect(*past), 4, "expired"),
        (packets.connect(client_id, "bad", password), 4, "username is not"),
        (packets.connect(*credentials(hub, "empty", PSK)), 5, "not registered"),
        (packets.connect(*credentials(hub, "nobody", PSK)), 5, "no such device"),
        (packets.connect(*good, **will), None, "will"),
        (packets.connect(*good, keepalive=901), None, "keep-alive"),
    ]
    for number, (data, code, reason) in enumerate(cases, 1):
        assert connack(hub, data) == code, reason
        event = hub.wait_for("login_refused", count=number)
        assert event["code"] == code
        assert reason in event["reason"]
    assert not any(device["activated"] for device in hub.devices())
    assert not [event for event in hub.events if event["event"] in ("login", "disconnect")]
    with logged_in(hub, "known", PSK, keepalive=900):
        hub.wait_for("login", client_id=client_id, keepalive=900)


def test_text_that_may_be_a_secret_is_no_client_id(hub):
    for client_id, shown in (("a0f3;hmacsha256", None), ("c2VjcmV0==", None), ("x:_-9", "x:_-9")):
        assert connack(hub, packets.connect(client_id, "u", "p")) == 2
        assert hub.events[-1]["event"] == "login_refused"
        assert hub.events[-1]["client_id"] == shown


def test_paho_sees_refusal(hub):
    hub.add_device("known", PSK)
    device = Paho(hub, credentials(hub, "known", "lDZ6Uqt+I9E0wW7rvDUs7Q=="))
    try:
        assert device.wait(device.codes).getName() == "Bad user name or password"
    finally:
        device.client.disconnect()
        device.client.loop_stop()


def test_good_login_forms(hub):
    hub.add_device("d", PSK)
    for changes in (
        {"method": "sha1"},
        {"expiry": int(time.time()) + 60},
        {"expiry": 32472115200},
    ):
        with Raw(hub.mqtt) as raw:
            raw.send(packets.connect(*credentials(hub, "d", PSK, **changes)))
            assert raw.packet() == (0x20, b"\0\0")
            raw.send(packets.packet(0xC0, b""))
            assert raw.packet() == (0xD0, b"")
            raw.send(packets.packet(0xE0, b""))
            assert raw.ended() == b""
    assert hub.wait_for("disconnect", count=3)["reason"] == "client"


def test_activation_and_repeat(hub):
    old, new = register(hub), register(hub)
    assert connack(hub, packets.connect(*credentials(hub, "dev-01", old))) == 4
    assert post(hub)["State"] == 1  # a refused login does not activate
    new = register(hub)
    with logged_in(hub, "dev-01", new):
        assert post(hub)["Error"]["Message"] == "device has been activated"
    with logged_in(hub, "dev-01", new):
        assert not hub.wait_for("login", count=2)["first"]
        hub.delete_device("dev-01")
        assert hub.wait_for("disconnect", reason="kicked")
    assert connack(hub, packets.connect(*credentials(hub, "dev-01", new))) == 5
    with logged_in(hub, "dev-01"):
        assert hub.wait_for("login", count=3)["first"]


def test_second_login_kicks_the_first(hub):
    psk = register(hub)
    with logged_in(hub, psk=psk) as first, logged_in(hub, psk=psk) as second:
        assert first.ended() == b""
        event = hub.wait_for("disconnect")
        assert event["reason"] == "kicked"
        assert event["conn"] == 1
        second.send(packets.packet(0xC0, b""))
        assert second.packet() == (0xD0, b"")
        assert hub.kick("dev-01")
        assert second.ended() == b""
    assert not hub.kick("dev-01")


def test_connect_interval(start_hub):
    hub = start_hub(connect_interval=1)
    psk = register(hub)
    with logged_in(hub, psk=psk) as first:
        assert connack(hub, packets.connect(*credentials(hub, "dev-01", psk))) == 5
        first.send(packets.packet(0xC0, b""))
        assert first.packet() == (0xD0, b"")
    time.sleep(1)
    logged_in(hub, psk=psk).__exit__()


def test_subscribe_rights(hub):
    with logged_in(hub) as raw:
        cases = [
            (f"{own(hub)}/control", 0, 0),
            (f"{own(hub)}/data", 1, 1),
            (f"$rrpc/rxd/{own(hub)}/+", 1, 1),
            (f"{own(hub)}/control", 2, 0x80),
            (f"{own(hub)}/event", 0, 0x80),
            (f"{own(hub, 'dev-02')}/control", 0, 0x80),
            ("#", 0, 0x80),
        ]
        for number, (topic, qos, granted) in enumerate(cases, 1):
            raw.send(packets.subscribe(number, topic, qos=qos))
            assert raw.packet() == (0x90, bytes((0, number, granted))), topic
            event = hub.wait_for("subscribe", count=number)
            assert (event["topic"], event["qos"], event["granted"]) == (topic, qos, granted)


def test_data_topic_comes_back(hub):
    with Paho(hub, credentials(hub, "dev-01", register(hub))) as device:
        device.client.subscribe(f"{own(hub)}/data", 1)
        device.wait(device.grants)
        device.client.publish(f"{own(hub)}/data", b"\x00\xff", qos=1).wait_for_publish(3)
        message = device.wait(device.messages)
        assert (message.payload, message.qos, message.retain) == (b"\x00\xff", 1, False)
        device.client.publish(f"{own(hub)}/data", b"", qos=0)
        assert device.wait(device.messages, 2).qos == 0


def test_hub_publish_and_packet_ids(hub):
    topic = f"{own(hub)}/control"
    assert hub.publish(topic, "nobody") == 0
    with logged_in(hub) as raw, logged_in(hub, "dev-02"):
        raw.send(packets.subscribe(1, topic, qos=1))
        raw.packet()
        assert hub.publish(topic, "hello", qos=1) == 1
        assert raw.packet() == (0x32, packets.text(topic) + b"\0\1" + b"hello")
        assert hub.publish(topic, b"again", qos=1) == 1
        assert raw.packet() == (0x32, packets.text(topic) + b"\0\2" + b"again")
        raw.send(packets.packet(0x40, b"\0\1") + packets.packet(0x40, b"\0\x63"))
        assert hub.publish(topic, b"low") == 1
        assert raw.packet() == (0x30, packets.text(topic) + b"low")
        raw.send(packets.subscribe(2, topic, qos=0))
        raw.packet()
        assert hub.publish(topic, b"lower", qos=1) == 1
        assert raw.packet() == (0x30, packets.text(topic) + b"lower")
        raw.send(packets.packet(0xA2, b"\0\7" + packets.text(topic)))
        assert raw.packet() == (0xB0, b"\0\7")
        assert hub.wait_for("unsubscribe")["topic"] == topic
        assert hub.publish(topic, b"gone") == 0


def test_rrpc_wildcard(hub):
    with logged_in(hub) as raw:
        raw.send(packets.subscribe(1, f"$rrpc/rxd/{own(hub)}/+"))
        raw.packet()
        topic = f"$rrpc/rxd/{own(hub)}/77"
        assert hub.publish(topic, b"do") == 1
        assert raw.packet() == (0x30, packets.text(topic) + b"do")
        raw.send(packets.publish(f"$rrpc/txd/{own(hub)}/77", b"done"))
        assert hub.wait_for("publish")["size"] == 4


def test_qos_1_and_duplicates(hub):
    with logged_in(hub) as raw:
        for flags in (2, 10):
            raw.send(packets.publish(f"{own(hub)}/event", b"abc", flags=flags, pid=513))
            assert raw.packet() == (0x40, b"\2\1")
        raw.send(packets.publish(f"{own(hub)}/event", b"x" * 16 * 1024, flags=2, pid=1))
        assert raw.packet() == (0x40, b"\0\1")
    assert [e["size"] for e in hub.events if e["event"] == "publish"] == [3, 3, 16384]


def test_everything_in_one_segment(hub):
    psk = register(hub)
    result = f"$sys/operation/result/{own(hub)}"
    with Raw(hub.mqtts, hub.ca_pem) as raw:
        raw.send(
            packets.connect(*credentials(hub, "dev-01", psk))
            + packets.subscribe(1, result)
            + packets.publish(f"$sys/operation/{own(hub)}", TIME_REQUEST)
        )
        assert raw.packet() == (0x20, b"\0\0")
        assert raw.packet() == (0x90, b"\0\1\0")
        first, body = raw.packet()
        assert first == 0x30
        assert body.startswith(packets.text(result) + b'{"type":"get","time":')


def test_time_is_answered_only_when_asked_and_subscribed(hub):
    ask = f"$sys/operation/{own(hub)}"
    with logged_in(hub) as raw:
        raw.send(packets.publish(ask, TIME_REQUEST))
        raw.send(packets.subscribe(1, f"$sys/operation/result/{own(hub)}"))
        others = [b"", b"\xff", b"[]", b'{"type":"get"}', b'{"type":"get","resource":"time"}',
                  b'{"type":"set","resource":["time"]}', b"[" * 10000]  # fmt: skip
        for payload in others:
            raw.send(packets.publish(ask, payload))
        raw.send(packets.packet(0xC0, b""))
        assert raw.packet() == (0x90, b"\0\1\0")
        assert raw.packet() == (0xD0, b"")
    assert not [event for event in hub.events if event["event"] == "time_answered"]


def breaches(hub):
    event = f"{own(hub)}/event"
    return [
        (packets.publish(event, flags=4, pid=1), "QoS 2"),
        (packets.publish(event, flags=1), "retain"),
        (packets.publish(f"{own(hub)}/control"), "not allowed"),
        (packets.publish(f"{own(hub, 'dev-02')}/event"), "not allowed"),
        (packets.publish("$sys/operation/result/" + own(hub)), "not allowed"),
        (packets.publish(event, b"x" * (16 * 1024 + 1)), "payload over"),
        (packets.publish("x" * 256), "255"),
        (packets.publish("/" * 11), "slashes"),
        (packets.subscribe(1, "x" * 256), "255"),
        (packets.subscribe(1, f"{own(hub)}/data", f"{own(hub)}/control"), "more than one filter"),
        (packets.connect("x"), "second CONNECT"),
        (packets.publish("a/#"), "wildcard"),
        (packets.packet(0x62, b"\0\1"), "type 6"),
        (b"\x30\xff\xff\xff\x7f", "over 20480"),
    ]


@pytest.mark.parametrize("number", range(14))
def test_protocol_breaches_end_the_session(hub, number):
    data, reason = breaches(hub)[number]
    with logged_in(hub) as raw:
        raw.send(data + packets.packet(0xC0, b""))
        assert raw.ended() == b""
    event = hub.wait_for("disconnect")
    assert event["reason"].startswith("protocol: ")
    assert reason in event["reason"]
    assert len(breaches(hub)) == 14


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packets.packet(0xC0, b""), "first packet"),
        (b"GET / HTTP/1.1\r\n\r\n", "type 4"),
        (packets.connect("x", name="AMQP"), "protocol name"),
        (packets.connect("x", flags=3), "reserved"),
    ],
)
def test_bad_first_packet(hub, data, reason):
    assert connack(hub, data) is None
    assert reason in hub.wait_for("disconnect")["reason"]


def test_no_connect(start_hub):
    hub = start_hub(connect_timeout=0.2)
    with Raw(hub.mqtt) as raw:
        raw.send(packets.connect("x")[:5])
        assert raw.ended() == b""
    assert "no CONNECT" in hub.wait_for("disconnect")["reason"]
    Raw(hub.mqtt).socket.close()
    assert hub.wait_for("disconnect", count=2)["reason"] == "eof"


def test_keepalive(hub):
    with logged_in(hub, keepalive=1) as raw, logged_in(hub, "dev-02", keepalive=0) as forever:
        start = time.monotonic()
        raw.send(b"\xc0")  # half a packet keeps nothing alive
        assert raw.ended() == b""
        assert 1.3 < time.monotonic() - start < 2.9
        forever.send(packets.packet(0xC0, b""))
        assert forever.packet() == (0xD0, b"")
    assert hub.wait_for("disconnect")["reason"] == "keepalive"
    assert hub.wait_for("disconnect", count=2)["reason"] == "eof"


def test_kicked_over_tls(hub):
    psk = register(hub)
    with Raw(hub.mqtts, hub.ca_pem) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", psk)))
        assert raw.packet() == (0x20, b"\0\0")
        hub.kick("dev-01")
        assert raw.ended() == b""
    assert hub.wait_for("disconnect")["reason"] == "kicked"


def test_packets_are_kept(hub):
    psk = register(hub)
    hello = packets.connect(*credentials(hub, "dev-01", psk))
    with Raw(hub.mqtt) as raw:
        raw.send(hello + packets.packet(0xC0, b""))
        raw.packet()
        raw.packet()
    conn = hub.wait_for("disconnect")["conn"]
    assert hub.packets == [
        (conn, "in", hello),
        (conn, "out", b"\x20\x02\0\0"),
        (conn, "in", b"\xc0\0"),
        (conn, "out", b"\xd0\0"),
    ]


def test_exchanged_ca(hub):
    hub.exchange_ca()
    with pytest.raises(ssl.SSLCertVerificationError):
        Raw(hub.mqtts, hub.ca_pem)
    assert hub.wait_for("tls_failed", port="mqtts")
