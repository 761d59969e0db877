"""The MQTT codec: what it reads, and that it refuses everything the standard forbids."""

import pytest
from hubclient import connect_packet, field, packet, publish_packet, subscribe_packet

from dynreg_tools.hub.mqtt import framing, packets
from dynreg_tools.hub.mqtt.framing import Framer, Malformed


def read(data):
    framer = Framer()
    framer.feed(data)
    frame = framer.next()
    assert frame == data
    assert framer.next() is None
    return packets.decode(frame)


def test_good_packets():
    assert read(connect_packet("c", "u", "p", keepalive=7)) == packets.Connect(
        4, "c", 7, True, False, "u", b"p"
    )
    assert read(connect_packet("", flags=0)) == packets.Connect(4, "", 60, clean=False)
    will = connect_packet("c", flags=2 | 4 | 8 | 32, will=field("t") + field(b"\xff"))
    assert read(will).will
    assert read(connect_packet("c", level=5, tail=b"anything")) == packets.Connect(5)
    assert read(connect_packet("c", name="MQIsdp", level=3)).level == 3
    assert read(publish_packet("t", b"")) == packets.Publish("t", b"", 0, False, False, 0)
    assert read(publish_packet("t", b"xy", flags=8 | 2 | 1, packet_id=9)) == packets.Publish(
        "t", b"xy", 1, True, True, 9
    )
    assert read(subscribe_packet(1, "a/+", "#", qos=1)) == packets.Subscribe(
        1, (("a/+", 1), ("#", 1))
    )
    unsubscribe = packet(0xA2, b"\0\1" + field("a") + field("b"))
    assert read(unsubscribe) == packets.Unsubscribe(1, ("a", "b"))
    assert read(packet(0x40, b"\1\2")) == packets.Puback(258)
    assert read(packet(0xC0, b"")) == packets.Pingreq()
    assert read(packet(0xE0, b"")) == packets.Disconnect()


@pytest.mark.parametrize(
    "data",
    [
        # fixed header: types only a server sends, reserved types, flags
        *(bytes((kind << 4, 0)) for kind in (0, 2, 5, 6, 7, 9, 11, 13, 15)),
        packet(0x11, connect_packet("c")[2:]),
        packet(0x80, subscribe_packet(1, "a")[2:]),
        packet(0xA0, b"\0\1" + field("a")),
        packet(0x41, b"\0\1"),
        packet(0xC1, b""),
        packet(0xE8, b""),
        b"\x30\xff\xff\xff\xff\x01",
        packet(0x30, b"x" * (framing.MAX_REMAINING + 1)),
        # lengths
        packet(0xC0, b"x"),
        packet(0xE0, b"x"),
        packet(0x40, b"\1"),
        packet(0x40, b"\0\1x"),
        packet(0x10, b""),
        connect_packet("c", tail=b"x"),
        connect_packet("c")[:1] + b"\x0a" + connect_packet("c")[2:-3],
        packet(0x30, b"\0\5abc"),
        packet(0x82, b"\0\1" + field("a")),
        packet(0x82, b"\0\1"),
        packet(0xA2, b"\0\1"),
        # CONNECT
        connect_packet("c", name="MQTX"),
        connect_packet("c", name="MQIsdp", level=4),
        connect_packet("c", flags=3),
        connect_packet("c", flags=2 | 8),
        connect_packet("c", flags=2 | 32),
        connect_packet("c", flags=2 | 4 | 24, will=field("t") + field("m")),
        connect_packet("c", flags=2 | 4, will=field("t/#") + field("m")),
        connect_packet("c", flags=2 | 64, tail=field("p")),
        # text
        connect_packet(b"\xff"),
        connect_packet(b"\xed\xa0\x80"),
        connect_packet("a\0b"),
        # topics and QoS
        publish_packet(""),
        publish_packet("a/+"),
        publish_packet("a/#"),
        publish_packet("a", flags=6, packet_id=1),
        publish_packet("a", flags=8),
        publish_packet("a", flags=2, packet_id=0),
        subscribe_packet(0, "a"),
        subscribe_packet(1, ""),
        subscribe_packet(1, "a#"),
        subscribe_packet(1, "#/a"),
        subscribe_packet(1, "a/b+"),
        subscribe_packet(1, "a", qos=3),
        packet(0xA2, b"\0\1" + field("a+")),
        packet(0x40, b"\0\0"),
    ],
)
def test_malformed(data):
    with pytest.raises(Malformed):
        read(data)


def test_framer_takes_single_bytes():
    stream = publish_packet("t", b"x" * 200) + packet(0xC0, b"")
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
