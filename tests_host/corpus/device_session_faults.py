"""A session, failure handling: dead peers, lost connections, back-off, packets that are none."""

import canaries
import fakes
import packets
from broker import TOPIC, connected, subscribed
from dynreg.connect import tls, wifi
from dynreg.connect.backoff import wait_ms
from dynreg.errors import CertificateError, ConfigError, NetworkError, ProtocolError

REFUSED = 111  # ECONNREFUSED
SOON = NetworkError("network.closed", "gone")


def _waits(count):
    """The waits of a back-off that begins, with the random bytes there are now."""
    return [wait_ms(failures, SOON) for failures in range(1, count + 1)]


# --- keep-alive ---------------------------------------------------------------------------------


def test_a_ping_at_half_the_keep_alive():
    for keepalive in (10, 60, 900):
        bench = connected(keepalive=keepalive)
        half = keepalive * 500
        bench.session.poll(half - 1)
        assert bench.peer.segments == [], keepalive
        bench.peer.expect([(20, packets.PINGRESP)])
        bench.session.poll(1)
        assert bench.peer.segments == [packets.PINGREQ], keepalive
        bench.peer.expect([(20, packets.PINGRESP)])
        bench.session.poll(half)
        assert bench.peer.segments == [packets.PINGREQ] * 2, keepalive
        assert bench.session.connected is True
        fakes.restore()


def test_what_is_sent_and_answered_puts_the_ping_off():
    bench = connected(keepalive=60)
    for pid in range(1, 6):
        bench.session.poll(29000)
        bench.peer.expect(packets.puback(pid))
        bench.session.publish("event", b"", 1)
        assert bench.peer.segments.pop() == packets.publish(TOPIC + "event", b"", pid)
        assert bench.peer.segments == []
    bench.session.poll(30000)
    assert bench.peer.segments[-1] == packets.PINGREQ


def test_no_keep_alive_no_ping():
    bench = connected(keepalive=0)
    bench.session.poll(5000000)
    assert bench.peer.segments == [] and bench.session.connected is True


def test_a_dead_peer_is_left_at_one_and_a_half_keep_alives():
    bench = connected(keepalive=60)
    bench.session.poll(89900)
    assert bench.session.connected is True
    assert bench.peer.segments == [packets.PINGREQ]
    bench.session.poll(1200)
    assert bench.session.connected is False and bench.peer.closed
    assert "does not answer pings" in bench.words() and "again in 5 s" in bench.words()


def test_a_dead_peer_is_noticed_though_messages_go_out():
    # A program that says something every 20 s must learn that nobody listens.
    bench = connected(keepalive=60)
    for _ in range(20):
        bench.session.poll(20000)
        if not bench.session.connected:
            return
        bench.session.publish("event", b"")
    raise AssertionError("400 s without a word from the broker, and still connected")


# --- lost and found -----------------------------------------------------------------------------


def test_a_lost_connection_is_made_anew_after_five_seconds():
    got = []
    bench = subscribed(lambda topic, message: got.append(message), 1)
    bench.peer.expect(packets.suback(2))
    bench.session.subscribe("other", print)
    subscriptions = {
        packets.subscribe(3, TOPIC + "control", qos=1): packets.suback(3, 1),
        packets.subscribe(4, TOPIC + "control", qos=1): packets.suback(4, 1),
        packets.subscribe(3, TOPIC + "other"): packets.suback(3),
        packets.subscribe(4, TOPIC + "other"): packets.suback(4),
    }
    after = fakes.Peer(packets.CONNACK, *[subscriptions.__getitem__] * 2)
    bench.net.add(after)
    bench.peer.say(fakes.END, 100)
    bench.session.poll(4000)
    assert bench.session.connected is False and bench.peer.closed
    assert "again in 5 s" in bench.log[-1][1], bench.log
    assert after.met is None
    bench.session.poll(2000)
    assert bench.session.connected is True
    assert after.met == 5100, after.met
    connect, first, second = packets.split(after.sent)
    assert connect[0] == 0x10
    assert {first, second} <= set(subscriptions) and first != second
    after.say(packets.publish(TOPIC + "control", b"again", 9))
    bench.session.poll(10)
    assert got == [b"again"]
    assert after.segments[-1] == packets.puback(9)


def test_the_new_login_has_a_user_name_of_its_own():
    first, second = fakes.Peer(packets.CONNACK), fakes.Peer(packets.CONNACK)
    bench = connected(keepalive=0)
    bench.net.add(first, second)
    for peer in (bench.peer, first):
        peer.say(fakes.END)
        bench.session.poll(310000)
    assert bench.session.connected is True
    names = {peer.sent.split(b";")[2] for peer in (first, second)}
    assert len(names) == 2 and {len(name) for name in names} == {5}, names


def test_all_ways_to_lose_a_connection():
    for end in ("end", "reset", "malformed", "half a packet"):
        bench = connected()
        after = fakes.Peer(packets.CONNACK)
        bench.net.add(after)
        if end == "end":
            bench.peer.say(fakes.END)
        elif end == "reset":
            bench.peer.broken = OSError(104)
        elif end == "malformed":
            bench.peer.say(b"\xf0\0")
        else:
            bench.peer.say(b"\x30\x10\0")
        bench.session.poll(20000)
        assert bench.session.connected is True, end
        assert bench.peer.closed and after.segments, end
        assert len(bench.net.sockets) == 2, end
        fakes.restore()


def _times_of_attempts(up_ms, count):
    """When a session that was up for up_ms and now finds nobody tries anew, and when it ought."""
    fakes.random(b"\x12\x34\x56\x78")
    bench = connected(keepalive=0)
    gone = [fakes.Peer(fault=OSError(REFUSED)) for _ in range(count)]
    bench.net.add(*gone)
    bench.peer.say(fakes.END, up_ms)
    bench.session.poll(up_ms)
    at = up_ms
    expected = []
    for wait in _waits(count):
        at += wait
        expected.append(at)
    bench.session.poll(expected[-1] - up_ms + 1)
    return [peer.met for peer in gone], expected


def test_the_back_off_grows_while_nobody_is_there():
    times, expected = _times_of_attempts(1000, 4)
    assert times == expected, (times, expected)


def test_the_back_off_grows_for_longer_than_a_minute():
    for up_ms in (1000, 100000):
        times, expected = _times_of_attempts(up_ms, 7)
        assert times == expected, (times, expected)
        fakes.restore()


def _wait_after(up_ms):
    """The wait after a connection that held for up_ms, made after several that did not."""
    fakes.random(b"\xff\xff\x56\x78")
    bench = connected(keepalive=0)
    peers = [fakes.Peer(packets.CONNACK) for _ in range(5)]
    bench.net.add(*peers)
    for peer in [bench.peer] + peers[:4]:  # noqa: RUF005 (MicroPython has no [a, *b])
        peer.say(fakes.END)
        bench.session.poll(0)
        while not bench.session.connected:
            bench.session.poll(1000)
    peers[4].say(fakes.END, up_ms)
    bench.clock.passed += up_ms
    bench.session.poll(0)
    return int(bench.log[-1][1].rsplit(" ", 2)[1])


def test_the_back_off_goes_on_after_a_short_connection():
    assert _wait_after(1000) > 5
    fakes.restore()
    assert _wait_after(59000) > 5


def test_the_back_off_begins_anew_after_a_stable_connection():
    assert _wait_after(61000) == 5


def test_the_back_off_begins_anew_after_a_week():
    assert _wait_after(7 * 86400000) == 5


def test_three_refusals_on_the_way_back_are_followed_by_one_within_the_hour():
    # The cloud takes one connect per 5 s.
    bench = connected()
    refusals = [fakes.Peer(packets.connack(5)) for _ in range(5)]
    good = fakes.Peer(packets.CONNACK)
    bench.net.add(*refusals, good)
    bench.peer.say(fakes.END)
    while good.met is None and bench.clock.passed < 6 * 3600000:
        bench.session.poll(60000)
    met = [peer.met for peer in refusals] + [good.met]
    waits = [met[i + 1] - met[i] for i in range(len(met) - 1)]
    assert all(5000 <= wait <= 300000 for wait in waits[:2]), waits
    assert all(900000 <= wait <= 3601000 for wait in waits[2:]), waits
    assert bench.session.connected is True
    words = bench.words()
    assert "3 times" in words and "Device.forget(confirm=product id)" in words


def test_a_certificate_that_is_not_the_brokers_on_the_way_back_is_tried_again_later():
    bench = connected()
    good = fakes.Peer(packets.CONNACK)
    bench.net.add(fakes.Peer(), good)
    real, faults = tls.handshake, [CertificateError("certificate", "a captive portal")]

    def handshake(*arguments):
        if faults:
            raise faults.pop()
        return real(*arguments)

    fakes.replace(tls, "handshake", handshake)
    bench.peer.say(fakes.END)
    bench.session.poll(0)
    begun = bench.clock.passed
    while good.met is None and bench.clock.passed < 6 * 3600000:
        bench.session.poll(60000)
    assert 900000 <= good.met - begun <= 3600000 + 10000, good.met - begun
    assert "a captive portal [certificate]; again in" in bench.words()


def test_a_login_taken_again_begins_the_count_anew():
    bench = connected()
    first = [fakes.Peer(packets.connack(5)), fakes.Peer(packets.connack(5))]
    good = fakes.Peer(packets.CONNACK)
    bench.net.add(*first, good)
    bench.peer.say(fakes.END)
    bench.session.poll(0)  # here it learns of the end
    for _ in range(60):
        if not bench.session.connected:
            bench.session.poll(1000)
    assert all(peer.met for peer in first)
    assert bench.session.connected is True and bench.session.history["refusals"] == 0


def test_a_subscription_refused_on_the_way_back_keeps_no_other_from_coming_back():
    got = []
    bench = subscribed(lambda topic, message: got.append(topic))
    bench.peer.expect(packets.suback(2))
    bench.session.subscribe("other", print)

    def answer(segment):
        return packets.suback(segment[2] << 8 | segment[3], 0 if b"control" in segment else 0x80)

    after = fakes.Peer(packets.CONNACK, answer, answer)
    bench.net.add(after)
    bench.peer.say(fakes.END)
    bench.session.poll(6000)
    assert bench.session.connected is True
    assert bench.session.refused == [TOPIC + "other"]
    assert f"does not grant {TOPIC}other" in bench.words()
    assert [level for level, text in bench.log if "grant" in text] == ["ERROR"]
    after.say(packets.publish(TOPIC + "control", b"again"))
    bench.session.poll(10)
    assert got == [TOPIC + "control"]
    after.expect(*[packets.PINGRESP] * 30)
    bench.session.poll(880000)
    assert len([s for s in after.segments if s[0] == 0x82]) == 2
    del after._answers[:]
    after.expect(*[_granted] * 10)
    bench.session.poll(40000)
    assert len([s for s in after.segments if s[0] == 0x82]) == 3
    assert bench.session.refused == []


def _granted(segment):
    """SUBACK to a SUBSCRIBE, PINGRESP to a PINGREQ."""
    return packets.PINGRESP if segment[0] == 0xC0 else packets.suback(segment[2] << 8 | segment[3])


def test_wifi_is_joined_again_on_the_way_back():
    calls = []
    bench = connected()
    fakes.replace(wifi, "join", lambda *arguments: calls.append(arguments))
    bench.net.add(fakes.Peer(packets.CONNACK))
    bench.peer.say(fakes.END)
    bench.session.poll(6000)
    assert bench.session.connected is True
    assert calls == [("bench", canaries.WIFI_PASSWORD)]


# --- waiting for the connection -----------------------------------------------------------------


def test_a_publish_that_waits_survives_a_long_outage():
    for qos in (0, 1):
        fakes.random(b"\xff\xff\x56\x78")
        bench = connected()
        bench.net.add(*[fakes.Peer(fault=OSError(REFUSED)) for _ in range(15)])
        after = fakes.Peer(packets.CONNACK, packets.puback(1) if qos else None)
        bench.peer.say(fakes.END)
        bench.session.poll(0)
        bench.net.add(after)
        bench.session.publish("event", b"morning", qos, wait=True)
        assert bench.session.connected is True
        assert b"event" in after.segments[-1] and after.segments[-1].endswith(b"morning")
        assert bench.clock.passed > 70000  # longer than a publish waits by itself
        fakes.restore()


def test_a_publish_that_waits_is_sent_again_when_the_line_breaks_under_it():
    bench = connected()
    after = fakes.Peer(packets.CONNACK)
    bench.net.add(after)
    bench.peer.broken = OSError(104)
    bench.session.publish("event", b"text", wait=True)
    assert after.segments[1:] == [packets.publish(TOPIC + "event", b"text")]


def test_a_publish_that_waits_ends_with_what_waiting_does_not_mend():
    bench = connected()
    bench.session.disconnect()
    fakes.raises(ConfigError, lambda: bench.session.publish("event", b"x", wait=True))
    fakes.raises(ConfigError, lambda: bench.session.publish("a/#", b"x", wait=True))


# --- the end ------------------------------------------------------------------------------------


def test_disconnect_waits_until_the_broker_has_all():
    for ms in (0, 300, 1900):
        bench = connected()
        bench.session.publish("event", b"last words")
        bench.peer.expect([(ms // 2, packets.publish("a/b", b"late")), (ms, fakes.END)])
        began = bench.clock.passed
        bench.session.disconnect()
        assert bench.peer.segments[-1] == packets.DISCONNECT
        assert bench.clock.passed - began == ms and bench.peer.closed, ms
        fakes.restore()


def test_disconnect_waits_two_seconds_at_most():
    bench = connected()
    for second in range(10):
        bench.peer.say(packets.publish("a/b", bytes(300)), second * 500)
    began = bench.clock.passed
    bench.session.disconnect()
    assert bench.clock.passed - began == 2000 and bench.peer.closed


def test_a_publish_on_a_lost_connection_fails_and_poll_mends_it():
    bench = connected()
    bench.net.add(fakes.Peer(packets.CONNACK))
    bench.peer.broken = OSError(32)
    fakes.raises(NetworkError, bench.session.publish, "event", b"x", retry=True)
    bench.session.poll(6000)
    assert bench.session.connected is True and len(bench.net.sockets) == 2


def test_no_reconnect_after_disconnect():
    bench = connected()
    bench.peer.say(fakes.END)
    bench.session.poll(0)
    bench.session.disconnect()
    fakes.raises(ConfigError, bench.session.poll, 10000, code="argument", says="connect() first")
    assert len(bench.net.sockets) == 1


# --- packets that are none ----------------------------------------------------------------------


def _malformed(data):
    """What a QoS 1 publish makes of data in the place of its PUBACK."""
    bench = connected()
    bench.peer.expect([(0, data)])
    fakes.raises(
        ProtocolError, bench.session.publish, "event", b"", 1, code="protocol.mqtt", retry=True
    )
    sent = bench.peer.segments[1:]
    fakes.restore()
    return sent


def test_malformed_packets_are_typed():
    for data in (
        b"\x30\x00",  # PUBLISH without a topic
        b"\x30\x01\x00",
        b"\x30\x03\x00\x01\xff",  # a topic that is not UTF-8
        b"\x40\x00",  # PUBACK without a packet id
        b"\x40\x01\x00",
        b"\x90\x02\x00\x01",  # SUBACK without a code
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
        b"\x00\x00",  # no packet at all
        b"\xf0\x00",
        b"\x10\x00",  # what only clients send
        b"\xc0\x00",
        b"\xe0\x00",
        b"\x20\x02\x00\x00",  # a second CONNACK
    ):
        assert _malformed(data) == [], data


def test_a_topic_longer_than_its_packet():
    _malformed(b"\x30\x04\x00\x09ab")


def test_a_qos_1_message_without_its_packet_id():
    for data in (b"\x32\x03\x00\x01a", b"\x32\x04\x00\x01a\x01"):
        assert _malformed(data) == [], data


def test_a_packet_that_stops_in_the_middle():
    for data in (b"\x40", b"\x40\x02", b"\x40\x02\x00", b"\x30\x80"):
        bench = connected()
        bench.peer.expect([(100, data)])
        fakes.raises(
            NetworkError,
            bench.session.publish,
            "event",
            b"",
            1,
            10100,
            code="network.unacknowledged",
        )
        assert bench.clock.passed == 10100, (data, bench.clock.passed)
        fakes.restore()


def test_acknowledgements_that_nobody_waits_for():
    bench = connected()
    bench.peer.say(packets.puback(77) + packets.suback(78) + packets.unsuback(79))
    bench.peer.say(packets.PINGRESP)
    bench.session.poll(10)
    assert bench.session.connected is True and bench.log == [], bench.log
