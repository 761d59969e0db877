"""The MQTT codec: what it reads, and that it refuses everything the standard forbids."""

import pytest

from dynreg_tools.hub.mqtt import framing, packets
from dynreg_tools.hub.mqtt.framing import Framer, Malformed
from tests_host.corpus import packets as client


def read(data):
    framer = Framer()
    framer.feed(data)
    frame = framer.next()
    assert frame == data
    assert framer.next() is None
    return packets.decode(frame)


def test_good_packets():
    assert read(client.connect("c", "u", "p", keepalive=7)) == packets.Connect(
        4, "c", 7, True, False, "u", b"p"
    )
    assert read(client.connect("", flags=0)) == packets.Connect(4, "", 60, clean=False)
    will = client.connect("c", flags=2 | 4 | 8 | 32, will=client.text("t") + client.text(b"\xff"))
    assert read(will).will
    assert read(client.connect("c", level=5, tail=b"anything")) == packets.Connect(5)
    assert read(client.connect("c", name="MQIsdp", level=3)).level == 3
    assert read(client.publish("t", b"")) == packets.Publish("t", b"", 0, False, False, 0)
    assert read(client.publish("t", b"xy", flags=8 | 2 | 1, pid=9)) == packets.Publish(
        "t", b"xy", 1, True, True, 9
    )
    assert read(client.subscribe(1, "a/+", "#", qos=1)) == packets.Subscribe(
        1, (("a/+", 1), ("#", 1))
    )
    unsubscribe = client.packet(0xA2, b"\0\1" + client.text("a") + client.text("b"))
    assert read(unsubscribe) == packets.Unsubscribe(1, ("a", "b"))
    assert read(client.packet(0x40, b"\1\2")) == packets.Puback(258)
    assert read(client.packet(0xC0, b"")) == packets.Pingreq()
    assert read(client.packet(0xE0, b"")) == packets.Disconnect()


@pytest.mark.parametrize(
    "data",
    [
        # fixed header: types only a server sends, reserved types, flags
        *(bytes((kind << 4, 0)) for kind in (0, 2, 5, 6, 7, 9, 11, 13, 15)),
        client.packet(0x11, client.connect("c")[2:]),
        client.packet(0x80, client.subscribe(1, "a")[2:]),
        client.packet(0xA0, b"\0\1" + client.text("a")),
        client.packet(0x41, b"\0\1"),
        client.packet(0xC1, b""),
        client.packet(0xE8, b""),
        b"\x30\xff\xff\xff\xff\x01",
        client.packet(0x30, b"x" * (framing.MAX_REMAINING + 1)),
        # lengths
        client.packet(0xC0, b"x"),
        client.packet(0xE0, b"x"),
        client.packet(0x40, b"\1"),
        client.packet(0x40, b"\0\1x"),
        client.packet(0x10, b""),
        client.connect("c", tail=b"x"),
        client.connect("c")[:1] + b"\x0a" + client.connect("c")[2:-3],
        client.packet(0x30, b"\0\5abc"),
        client.packet(0x82, b"\0\1" + client.text("a")),
        client.packet(0x82, b"\0\1"),
        client.packet(0xA2, b"\0\1"),
        # CONNECT
        client.connect("c", name="MQTX"),
        client.connect("c", name="MQIsdp", level=4),
        client.connect("c", flags=3),
        client.connect("c", flags=2 | 8),
        client.connect("c", flags=2 | 32),
        client.connect("c", flags=2 | 4 | 24, will=client.text("t") + client.text("m")),
        client.connect("c", flags=2 | 4, will=client.text("t/#") + client.text("m")),
        client.connect("c", flags=2 | 64, tail=client.text("p")),
        # text
        client.connect(b"\xff"),
        client.connect(b"\xed\xa0\x80"),
        client.connect("a\0b"),
        # topics and QoS
        client.publish(""),
        client.publish("a/+"),
        client.publish("a/#"),
        client.publish("a", flags=6, pid=1),
        client.publish("a", flags=8),
        client.publish("a", flags=2, pid=0),
        client.subscribe(0, "a"),
        client.subscribe(1, ""),
        client.subscribe(1, "a#"),
        client.subscribe(1, "#/a"),
        client.subscribe(1, "a/b+"),
        client.subscribe(1, "a", qos=3),
        client.packet(0xA2, b"\0\1" + client.text("a+")),
        client.packet(0x40, b"\0\0"),
    ],
)
def test_malformed(data):
    with pytest.raises(Malformed):
        read(data)


def test_framer_takes_single_bytes():
    stream = client.publish("t", b"x" * 200) + client.packet(0xC0, b"")
    framer, frames = Framer(), []
    for byte in stream:
        framer.feed(bytes((byte,)))
        while (frame := framer.next()) is not None:
            frames.append(frame)
    assert b"".join(frames) == stream
    assert [frame[0] for frame in frames] == [0x30, 0xC0]


def test_encoding():
    assert framing.connack(4) == b"\x20\x02\x00\x04"
    assert framing.puback(258) == b"\x40\x02\x01\x02"
    assert framing.suback(1, 128) == b"\x90\x03\x00\x01\x80"
    assert framing.unsuback(1) == b"\xb0\x02\x00\x01"
    assert framing.pingresp() == b"\xd0\x00"
    assert framing.publish("t", b"x") == b"\x30\x04\x00\x01tx"
    assert framing.publish("t", b"x", 1, 3) == b"\x32\x06\x00\x01t\x00\x03x"
    assert framing.publish("t", b"x" * 200)[:3] == b"\x30\xcb\x01"
