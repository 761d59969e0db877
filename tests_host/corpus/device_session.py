"""A session, the normal case: the exact bytes and segments of every packet out, messages in."""

from binascii import a2b_base64

import canaries
import fakes
import packets
from broker import TOPIC, Bench, connected, subscribed
from dynreg import port
from dynreg.connect.login import signed
from dynreg.errors import ConfigError, LoginError, NetworkError, ProtocolError


def _login(connid, expiry=fakes.NOW + 3600):
    return signed("ABCDEFGHIJdev-01", a2b_base64(canaries.DEVICE_SECRET), f"{connid};{expiry}")


def _expiry(peer):
    """The last part of the user name that a peer was sent."""
    sent = peer.segments[0]
    start = sent.index(b";12010126;") + 16
    return int(sent[start : start + 10])


# --- login --------------------------------------------------------------------------------------


def test_connect_is_exactly_these_bytes_in_one_segment():
    for keepalive in (0, 60, 900):
        bench = Bench(fakes.Peer(packets.CONNACK), keepalive=keepalive)
        fakes.random(b"\x00\x1a\x3d\x3e\xff")
        bench.session.connect()
        user, password = _login("Aa9AH")
        assert user == f"ABCDEFGHIJdev-01;12010126;Aa9AH;{fakes.NOW + 3600}"
        assert bench.peer.segments == [
            packets.connect("ABCDEFGHIJdev-01", user, password, keepalive)
        ], keepalive
        assert password[:64] not in bench.words()
        fakes.restore()


def test_where_connect_goes():
    for url, address, tls in (
        ("mqtts://hub.local", ("hub.local", 8883), "verified-ca"),
        ("mqtts://hub.local:18883", ("hub.local", 18883), "verified-ca"),
        ("mqtt://hub.local", ("hub.local", 1883), "plain"),
    ):
        bench = Bench(fakes.Peer(packets.CONNACK), url=url)
        assert bench.session.connected is False
        bench.session.connect()
        assert bench.session.connected is True
        assert bench.peer.address == address
        assert bench.session.tls == tls
        assert ("not encrypted" in bench.words()) is (tls == "plain")
        fakes.restore()


def test_the_user_name_is_good_for_an_hour_and_without_a_clock_until_2038():
    y2038 = 2147483647
    for unix, expiry in (
        (fakes.NOW, fakes.NOW + 3600),
        (None, y2038),
        (y2038 - 1, y2038 + 3599),
        (y2038 + 1, y2038 + 3601),
        (y2038 + 86400 * 365, y2038 + 86400 * 365 + 3600),
    ):
        bench = Bench(fakes.Peer(packets.CONNACK), url="mqtt://hub.local")  # wants no clock
        fakes.replace(port, "unix_time", lambda unix=unix: unix or 0)
        bench.session.connect()
        assert _expiry(bench.peer) == expiry, unix
        fakes.restore()


def test_after_a_refusal_the_clock_is_not_trusted_and_after_the_next_it_is():
    peers = [fakes.Peer(packets.connack(4)) for _ in range(3)]
    bench = Bench(*peers)
    for _ in peers:
        fakes.raises(LoginError, bench.session.connect, code="login.4")
    assert [_expiry(peer) for peer in peers] == [fakes.NOW + 3600, 2147483647, fakes.NOW + 3600]


def test_each_connect_has_a_user_name_of_its_own_and_closes_the_last():
    first, second = fakes.Peer(packets.CONNACK), fakes.Peer(packets.CONNACK)
    bench = Bench(first, second)
    bench.session.connect()
    assert not first.closed
    bench.session.connect()
    assert first.closed and not second.closed
    assert first.sent != second.sent


def test_refused_logins():
    words = {1: "protocol version", 2: "client id", 3: "credentials", 4: "password", 5: "authori"}
    for code in (1, 2, 3, 4, 5, 6, 255):
        bench = Bench(fakes.Peer(packets.connack(code)))
        retry = True if code > 2 else 900  # a fault of the moment, perhaps
        error = fakes.raises(LoginError, bench.session.connect, code=f"login.{code}", retry=retry)
        assert words.get(code, "unknown") in str(error)
        assert bench.peer.closed and bench.session.connected is False
        assert len(bench.net.sockets) == 1
        fakes.restore()


def test_what_is_no_connack():
    for data in (b"\x20\x03\0\0", b"\x30\x02\0\0", b"HTTP", b"\0\0\0\0"):
        bench = Bench(fakes.Peer(data))
        says = "is it the right port"
        fakes.raises(ProtocolError, bench.session.connect, code="protocol.reply", says=says)
        assert bench.peer.closed and bench.session.connected is False
        fakes.restore()


def test_no_connack():
    for answer, code in ((None, "network.timeout"), (fakes.END, "network.closed")):
        bench = Bench(fakes.Peer(answer))
        says = "is it the right port" if answer else ""
        fakes.raises(NetworkError, bench.session.connect, code=code, says=says)
        assert bench.peer.closed and bench.session.connected is False
        assert bench.clock.passed == (10000 if answer is None else 0)
        fakes.restore()


def test_half_a_connack():
    for size in (1, 2, 3):
        bench = Bench(fakes.Peer([(0, packets.CONNACK[:size]), (10, fakes.END)]))
        fakes.raises(NetworkError, bench.session.connect, code="network.closed")
        fakes.restore()


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
        assert bench.peer.segments == [packets.subscribe(1, TOPIC + "control", qos)]
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


# --- in -----------------------------------------------------------------------------------------


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
        try:
            bench.session.poll(0)
        except ConfigError as error:  # "not connected" is a fair answer
            print(repr(error))
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
