"""A session, the normal case: the exact bytes and segments of every packet out, and poll()."""

import fakes
import packets
from broker import TOPIC, connected, subscribed
from dynreg.errors import ConfigError, LoginError, NetworkError

# --- out ----------------------------------------------------------------------------------------


def test_publish_is_exactly_these_bytes_in_one_segment():
    for message in ("", "text", b"\0\xff", bytearray(b"x"), "é☃", b"m" * 200):
        bench = connected()
        bench.session.publish("event", message)
        raw = message.encode() if isinstance(message, str) else bytes(message)
        assert bench.peer.segments == [packets.publish(TOPIC + "event", raw)], message
        fakes.restore()


def test_publish_with_qos_1_waits_for_its_puback():
    bench = connected(latency=120)
    bench.peer.expect(packets.puback(1), packets.puback(2))
    bench.session.publish("event", "text", 1)
    assert bench.clock.passed == 240  # 120 for the CONNACK
    bench.session.publish("$sys/x", b"", qos=1)
    assert bench.peer.segments == [
        packets.publish(TOPIC + "event", b"text", 1),
        packets.publish("$sys/x", b"", 2),
    ]


def test_publish_with_qos_1_takes_no_other_puback():
    bench = connected()
    bench.peer.expect([(0, packets.puback(2)), (100, packets.puback(257))])
    fakes.raises(
        NetworkError,
        bench.session.publish,
        "event",
        "x",
        1,
        10000,
        code="network.unacknowledged",
        says=("no PUBACK", "within 10 s"),
    )
    assert bench.clock.passed == 10000


def test_publish_with_qos_1_is_sent_again_until_it_is_acknowledged():
    for first in (fakes.END, None):  # the line breaks; the broker forgets
        bench = connected()
        bench.session._pid = 65534
        second, third = fakes.Peer(packets.CONNACK), fakes.Peer(packets.CONNACK)
        bench.net.add(second, third)
        bench.peer.expect(first)
        second.expect(fakes.END)
        third.expect(packets.puback(65535))
        bench.session.publish("event", b"text", 1, 300000)
        packet = packets.publish(TOPIC + "event", b"text", 65535)
        again = bytes((packet[0] | 8,)) + packet[1:]
        assert bench.peer.segments == [packet]
        assert second.segments[1:] == [again] and third.segments[1:] == [again]
        assert second.met >= 5000 and third.met - second.met >= 5000
        assert bench.session.acks == {}
        fakes.restore()


def test_publish_with_qos_1_on_a_line_that_is_broken_already():
    bench = connected()
    bench.net.add(fakes.Peer(packets.CONNACK, packets.puback(1)))
    bench.peer.broken = OSError(104)
    fakes.raises(NetworkError, bench.session.publish, "event", b"x", 0, code="network.closed")
    bench.session.publish("event", b"text", 1)
    assert bench.session.connected is True


def test_publish_with_qos_1_ends_in_its_time_where_the_login_is_refused():
    bench = connected()
    bench.net.add(fakes.Peer(packets.connack(1)))
    bench.peer.expect(fakes.END)
    code = "network.unacknowledged"
    fakes.raises(NetworkError, bench.session.publish, "event", b"x", 1, code=code)
    assert "[login.1]; again in" in bench.words()


def test_names_and_whole_topics():
    bench = connected()
    for name, topic in (
        ("event", TOPIC + "event"),
        ("a/b", "a/b"),
        ("$log", "$log"),
        (TOPIC + "data", TOPIC + "data"),
    ):
        bench.session.publish(name, b"")
        assert bench.peer.segments.pop() == packets.publish(topic, b""), name


def test_messages_of_16384_bytes_and_more():
    for size in (127, 128, 16383, 16384):
        for qos in (0, 1):
            bench = connected()
            message = bytes(i & 0xFF for i in range(size))
            packet = packets.publish(TOPIC + "event", message, qos or None)

            def answer(segment, peer=bench.peer, packet=packet):
                return packets.puback(1) if peer.sent == packet else None

            bench.peer.expect(*[answer] * 20)
            bench.session.publish("event", message, qos)
            assert bench.peer.sent == packet, (size, qos)
            fakes.restore()
    bench = connected()
    for message in (bytes(16385), "é" * 8193):
        for qos in (0, 1):
            fakes.raises(
                ConfigError, bench.session.publish, "event", message, qos, code="argument"
            )
    assert bench.peer.segments == []


def test_topics_of_255_bytes_and_more():
    for topic in ("a/" + "x" * 253, "a/" + "x" * 121, "a/" + "x" * 119):
        bench = connected()
        bench.peer.expect(packets.suback(1), None, packets.puback(2), packets.unsuback(3))
        bench.session.subscribe(topic, print)
        bench.session.publish(topic, b"m")
        bench.session.publish(topic, b"m", 1)
        bench.session.unsubscribe(topic)
        assert bench.peer.segments == [
            packets.subscribe(1, topic),
            packets.publish(topic, b"m"),
            packets.publish(topic, b"m", 2),
            packets.unsubscribe(3, topic),
        ], topic
        fakes.restore()
    bench = connected()
    for topic in ("a/" + "x" * 254, "", "a/" + "é" * 127, "x" * 240):
        for call in (
            lambda t=topic: bench.session.publish(t, b""),
            lambda t=topic: bench.session.subscribe(t, print),
            lambda t=topic: bench.session.unsubscribe(t),
        ):
            if topic:
                fakes.raises(ConfigError, call, code="argument", says="255")
    assert bench.peer.segments == []


def test_a_topic_beyond_ascii():
    for qos in (1, 0):
        bench = connected()
        bench.peer.expect(packets.puback(1))
        bench.session.publish("a/gerät", b"message", qos)
        assert bench.peer.segments == [packets.publish("a/gerät", b"message", qos or None)], qos
        fakes.restore()


def test_another_qos():
    bench = connected()
    for qos in (2, -1, 3, None):
        fakes.raises(ConfigError, bench.session.publish, "event", b"", qos, code="argument")
        fakes.raises(ConfigError, bench.session.subscribe, "event", print, qos, code="argument")
    assert bench.peer.segments == []


def test_subscribe_is_exactly_these_bytes_in_one_segment():
    for qos in (0, 1):
        bench = connected(latency=70)
        bench.peer.expect(packets.suback(1, qos))
        bench.session.subscribe("control", print, qos)
        assert bench.peer.segments == [packets.subscribe(1, TOPIC + "control", qos=qos)]
        assert bench.session.granted(TOPIC + "control") == qos
        assert bench.clock.passed == 140
        fakes.restore()


def test_a_subscription_that_is_not_granted():
    bench = connected()
    bench.peer.expect(packets.suback(1, 0x80))
    error = fakes.raises(
        LoginError, bench.session.subscribe, "secret", print, code="subscribe.refused", retry=900
    )
    assert TOPIC + "secret" in str(error)
    assert bench.session.connected is True
    bench.peer.say(packets.publish(TOPIC + "secret", b"x"))
    bench.session.poll(10)
    assert "nobody asked" in bench.words()


def test_no_suback():
    bench = connected()
    fakes.raises(
        NetworkError,
        bench.session.subscribe,
        "control",
        print,
        code="network.timeout",
        says="no SUBACK after 10 s",
    )
    assert bench.clock.passed == 10000


def test_unsubscribe_ends_the_calls():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    bench.peer.expect(packets.unsuback(2))
    bench.session.unsubscribe("control")
    assert bench.peer.segments == [packets.unsubscribe(2, TOPIC + "control")]
    bench.peer.say(packets.publish(TOPIC + "control", b"late"))
    bench.session.poll(10)
    assert got == [] and "nobody asked" in bench.words()


def test_packet_ids_wrap_at_65535():
    bench = connected()
    bench.session._pid = 65533
    for pid in (65534, 65535, 1, 2):
        bench.peer.expect(packets.puback(pid))
        bench.session.publish("event", b"", 1)
        assert bench.peer.segments.pop() == packets.publish(TOPIC + "event", b"", pid), pid


def test_disconnect_sends_disconnect():
    bench = connected()
    bench.session.disconnect()
    assert bench.peer.segments == [packets.DISCONNECT]
    assert bench.peer.closed and bench.session.connected is False
    bench.session.disconnect()
    assert bench.peer.segments == [packets.DISCONNECT]


def test_disconnect_on_a_broken_line():
    bench = connected()
    bench.peer.broken = OSError(104)
    bench.session.disconnect()
    assert bench.peer.closed and bench.session.connected is False


def test_not_connected():
    bench = connected()
    bench.session.disconnect()
    fakes.raises(NetworkError, bench.session.publish, "event", b"", code="network.closed")
    fakes.raises(NetworkError, bench.session.publish, "event", b"", 1, code="network.closed")
    fakes.raises(NetworkError, bench.session.subscribe, "x", print, code="network.closed")
    fakes.raises(NetworkError, bench.session.sync_clock, code="network.closed")
    fakes.raises(ConfigError, bench.session.poll, 10, code="argument", says="connect() first")


# --- poll ---------------------------------------------------------------------------------------


def test_poll_returns_on_time():
    for ms in (0, 1, 999, 1000, 1001, 25000):
        bench = connected()
        bench.session.poll(ms)
        assert bench.clock.passed == ms, (ms, bench.clock.passed)
        fakes.restore()


def test_poll_returns_on_time_with_messages_coming():
    got = []
    bench = subscribed(lambda topic, message: got.append(bench.clock.passed))
    for ms in range(0, 5000, 300):
        bench.peer.say(packets.publish(TOPIC + "control", b"x"), ms)
    bench.session.poll(3000)
    assert bench.clock.passed == 3000
    assert got == list(range(0, 3001, 300)), got


def test_poll_returns_on_time_without_a_connection():
    bench = connected()
    bench.peer.say(fakes.END)
    bench.session.poll(1500)
    assert bench.session.connected is False
    assert bench.clock.passed == 1500
    bench.session.poll(0)
    bench.session.poll(1)
    assert bench.clock.passed == 1501
