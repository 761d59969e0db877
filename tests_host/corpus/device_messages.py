"""Messages that come in, and their callbacks."""

import fakes
import packets
from broker import TOPIC, subscribed


def test_a_message_comes_to_its_callback():
    got = []
    bench = subscribed(lambda topic, message: got.append((topic, message)))
    bench.peer.say(packets.publish(TOPIC + "control", b"\0on\xff"), 300)
    bench.peer.say(packets.publish(TOPIC + "other", b"not ours"), 400)
    bench.session.poll(1000)
    assert got == [(TOPIC + "control", b"\0on\xff")]
    assert isinstance(got[0][0], str) and isinstance(got[0][1], bytes)
    assert bench.peer.segments == []
    assert TOPIC + "other: nobody asked" in bench.words()


def test_a_message_in_pieces_and_several_in_one():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    data = packets.publish(TOPIC + "control", b"one") + packets.publish(TOPIC + "control", b"two")
    for i in range(len(data)):
        bench.peer.say(data[i : i + 1], 10 * i)
    bench.session.poll(10 * len(data))
    assert got == [b"one", b"two"]
    bench.peer.say(data * 5)
    bench.session.poll(10)
    assert got == [b"one", b"two"] * 6


def test_a_message_with_qos_1_is_acknowledged_after_the_callback():
    seen = []
    bench = subscribed(lambda topic, message: seen.append((message, bench.peer.sent)), 1)
    for pid in (1, 258, 65535):
        del seen[:], bench.peer.segments[:]
        bench.peer.say(packets.publish(TOPIC + "control", b"on", pid))
        bench.session.poll(10)
        assert seen == [(b"on", b"")], seen
        assert bench.peer.segments == [packets.puback(pid)], pid


def test_a_callback_that_raises_is_survived():
    def callback(topic, message):
        raise KeyError("the application's own fault")

    bench = subscribed(callback, 1)
    bench.peer.say(packets.publish(TOPIC + "control", b"on", 7))
    bench.session.poll(10)
    assert bench.peer.segments == [packets.puback(7)]
    assert bench.session.connected is True
    assert ("ERROR", bench.log[-1][1]) == bench.log[-1] and "own fault" in bench.log[-1][1]


def test_a_callback_may_publish_and_subscribe():
    def callback(topic, message):
        bench.session.publish("event", b"qos 0")
        bench.peer.expect(packets.puback(2), packets.suback(3))
        bench.session.publish("event", b"qos 1", 1)
        bench.session.subscribe("data", print)

    bench = subscribed(callback, 1)
    bench.peer.say(packets.publish(TOPIC + "control", b"on", 7))
    bench.session.poll(10)
    assert packets.split(bench.peer.sent) == [
        packets.publish(TOPIC + "event", b"qos 0"),
        packets.publish(TOPIC + "event", b"qos 1", 2),
        packets.subscribe(3, TOPIC + "data"),
        packets.puback(7),
    ]
    assert "ERROR" not in [name for name, _ in bench.log], bench.words()


def test_a_callback_may_disconnect():
    for pid in (None, 7):
        found = []
        bench = subscribed(lambda topic, message, found=found: found[0].disconnect(), 1)
        found.append(bench.session)
        bench.peer.say(packets.publish(TOPIC + "control", b"off", pid))
        bench.session.poll(0)
        assert packets.DISCONNECT in bench.peer.segments
        assert bench.session.connected is False
        fakes.restore()


def test_messages_of_16384_bytes_come_in():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    for size in (0, 127, 128, 16383, 16384):
        bench.peer.say(packets.publish(TOPIC + "control", bytes(size)))
        bench.session.poll(10)
        assert got.pop() == bytes(size), size


def test_a_message_over_the_limit_is_skipped_and_the_next_comes_in():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    for size in (17000, 20000, 300000):
        bench.peer.say(packets.publish(TOPIC + "control", bytes(size)))
        bench.peer.say(packets.publish(TOPIC + "control", b"next"))
        bench.session.poll(10)
        assert got == [b"next"], size
        assert "skipped" in bench.log[-1][1], bench.log
        del got[:]
    assert bench.session.connected is True


def test_a_message_over_the_limit_with_qos_1_is_acknowledged_all_the_same():
    # Else the broker would send it for ever.
    got = []
    bench = subscribed(lambda topic, message: got.append(message), 1)
    for size in (17000, 300000):
        bench.peer.say(packets.publish(TOPIC + "control", bytes(size), 513))
        bench.peer.say(packets.publish(TOPIC + "control", b"next", 514))
        bench.session.poll(10)
        assert got == [b"next"], size
        assert bench.peer.segments == [packets.puback(513), packets.puback(514)]
        del got[:], bench.peer.segments[:]
    topic = "t" * 65535  # no topic of ours, but the stream must hold
    bench.peer.say(packets.publish(topic, bytes(20000), 515))
    bench.session.poll(10)
    assert bench.peer.segments == [packets.puback(515)]
