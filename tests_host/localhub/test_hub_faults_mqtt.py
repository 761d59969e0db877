"""Each fault of the broker: every byte that comes back, and what paho-mqtt makes of it."""

import time

import pytest
from hubclient import Raw, credentials, logged_in, register
from hubpaho import Paho

from tests_host.corpus import packets

CONNACK = b"\x20\2\0\0"
SUBACK = b"\x90\3\0\7\0"
PUBACK = b"\x40\2\0\x09"
PINGRESP = b"\xd0\0"
TOPIC = packets.text("fault/topic")
FLOOD = packets.packet(0x30, TOPIC + b"flood")
CLOSED = "closed"


def exchange(hub, reply, steps):
    """The bytes that come for CONNECT, SUBSCRIBE, PUBLISH (QoS 1), PINGREQ: `steps` of them.

    `reply` is how many bytes are awaited; after them comes CLOSED, more bytes, or silence (b"").
    """
    psk = hub.devices()[0]["psk"]
    own = f"{hub.product_id}/dev-01"
    asked = [
        packets.connect(*credentials(hub, "dev-01", psk)),
        packets.subscribe(7, own + "/control"),
        packets.publish(own + "/event", flags=2, pid=9),
        b"\xc0\0",
    ]
    with Raw(hub.mqtt) as raw:
        raw.send(b"".join(asked[:steps]))
        came = b""
        try:
            came = raw.read(reply)
            raw.socket.settimeout(0.1)
            more = raw.socket.recv(4096)
        except EOFError as error:
            return error.args[0], CLOSED
        except TimeoutError:
            return came, b""
        return came, more or CLOSED


PACKETS = {
    "mqtt-connack:3": (1, b"\x20\2\0\3", CLOSED),
    "mqtt-login-slow:0.3": (2, CONNACK + SUBACK, b""),
    "mqtt-connack-missing": (4, b"", b""),
    "mqtt-connack-late:0.3": (2, CONNACK + SUBACK, b""),
    "mqtt-connack-cut": (1, CONNACK[:-1], CLOSED),
    "mqtt-connack-long": (1, b"\x20\3\0\0\0", b""),
    "mqtt-connack-other": (1, PINGRESP, b""),
    "mqtt-connack-session": (1, b"\x20\2\1\0", b""),
    "mqtt-close-login": (1, CONNACK, CLOSED),
    "mqtt-suback:128": (2, CONNACK + b"\x90\3\0\7\x80", b""),
    "mqtt-suback-missing": (2, CONNACK, b""),
    "mqtt-suback-late:0.3": (2, CONNACK + SUBACK, b""),
    "mqtt-suback-twice": (2, CONNACK + 2 * SUBACK, b""),
    "mqtt-suback-other-id": (2, CONNACK + b"\x90\3\0\x6b\0", b""),
    "mqtt-suback-short": (2, CONNACK + b"\x90\2\0\7", b""),
    "mqtt-close-subscribe": (2, CONNACK, CLOSED),
    "mqtt-puback-missing": (3, CONNACK + SUBACK, b""),
    "mqtt-puback-late:0.3": (3, CONNACK + SUBACK + PUBACK, b""),
    "mqtt-puback-twice": (3, CONNACK + SUBACK + 2 * PUBACK, b""),
    "mqtt-puback-other-id": (3, CONNACK + SUBACK + b"\x40\2\0\x6d", b""),
    "mqtt-close-publish": (3, CONNACK + SUBACK, CLOSED),
    "mqtt-pingresp-missing": (4, CONNACK + SUBACK + PUBACK, b""),
    "mqtt-silent": (4, CONNACK, b""),
    "mqtt-split": (4, CONNACK + SUBACK + PUBACK + PINGRESP, b""),
    "mqtt-second-login": (2, CONNACK + SUBACK, CLOSED),
    "mqtt-garbage*1": (2, CONNACK + SUBACK + b"\xf0\0", b""),
    "mqtt-type-0*1": (2, CONNACK + SUBACK + b"\0\0", b""),
    "mqtt-length*1": (2, CONNACK + SUBACK + b"\x30\xff\xff\xff\xff\1", b""),
    "mqtt-topic-long*1": (2, CONNACK + SUBACK + b"\x30\4\0\x63ab", b""),
    "mqtt-topic-bytes*1": (2, CONNACK + SUBACK + b"\x30\5\0\2\xff\xfex", b""),
    "mqtt-no-topic*1": (2, CONNACK + SUBACK + b"\x30\0", b""),
    "mqtt-qos-3*1": (2, CONNACK + SUBACK + b"\x36\6\0\1a\0\1x", b""),
    "mqtt-huge:300*1": (2, CONNACK + SUBACK + packets.packet(0x30, TOPIC + bytes(300)), b""),
    "mqtt-stranger*1": (2, CONNACK + SUBACK + packets.packet(0x30, TOPIC + b"x"), b""),
    "mqtt-strange-ack*1": (2, CONNACK + SUBACK + b"\x40\2\x03\xe7", b""),
    "mqtt-flood:3*1": (2, CONNACK + SUBACK + 3 * FLOOD, b""),
}


@pytest.mark.parametrize("fault", PACKETS)
def test_packets(hub, fault):
    register(hub)
    steps, wanted, then = PACKETS[fault]
    hub.fault(fault)
    began = time.monotonic()
    came, end = exchange(hub, len(wanted), steps)
    assert (came, end) == (wanted, then)
    if "late" in fault or "slow" in fault:
        assert time.monotonic() - began >= 0.3
    hub.wait_for("fault", name=fault.partition(":")[0].partition("*")[0])
    hub.clear_faults()
    good = CONNACK + SUBACK + PUBACK + PINGRESP
    assert exchange(hub, len(good), 4) == (good, b"")


def test_a_refused_login_changes_nothing(hub):
    psk = register(hub)
    hub.fault("mqtt-connack:4*1")
    with Raw(hub.mqtt) as raw:
        raw.send(packets.connect(*credentials(hub, "dev-01", psk)))
        assert raw.packet() == (0x20, b"\0\4")
    assert not hub.devices()[0]["activated"]
    assert hub.wait_for("login_refused")["code"] == 4


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_paho_is_refused(hub, code):
    psk = register(hub)
    hub.fault(f"mqtt-connack:{code}")
    client = Paho(hub, credentials(hub, "dev-01", psk))
    try:
        assert client.wait(client.codes).is_failure
    finally:
        client.__exit__()


def test_paho_is_not_granted(hub):
    psk = register(hub)
    hub.fault("mqtt-suback:128")
    with Paho(hub, credentials(hub, "dev-01", psk)) as device:
        device.client.subscribe(f"{hub.product_id}/dev-01/control")
        assert device.wait(device.grants).is_failure


def test_split_packets_are_whole_to_paho(hub):
    psk = register(hub)
    hub.fault("mqtt-split")
    with Paho(hub, credentials(hub, "dev-01", psk)) as device:
        topic = f"{hub.product_id}/dev-01/control"
        device.client.subscribe(topic)
        device.wait(device.grants)
        assert hub.publish(topic, "in pieces") == 1
        assert device.wait(device.messages).payload == b"in pieces"


def test_a_silent_session_still_takes_what_comes(hub):
    with logged_in(hub) as raw:
        hub.fault("mqtt-silent")
        raw.send(packets.publish(f"{hub.product_id}/dev-01/event"))
        assert hub.wait_for("publish")
        assert not [event for event in hub.events if event["event"] == "disconnect"]
