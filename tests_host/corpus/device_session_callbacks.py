"""A session, what callbacks may do: all of it, one after the other, on their own connection."""

import fakes
import packets
from broker import TOPIC, connected, subscribed
from dynreg.errors import NetworkError


def _message(pid=None, text=b"on"):
    return packets.publish(TOPIC + "control", text, pid)


def _acknowledging(segment):
    """The broker's answer to packets of a client: PUBACK, SUBACK, UNSUBACK, PINGRESP."""
    answer = b""
    for packet in packets.split(segment):
        kind = packet[0]
        if kind & 0xF6 == 0x32:
            size = 2 + (packet[2] << 8 | packet[3])
            answer += b"\x40\x02" + packet[2 + size : 4 + size]
        elif kind in (0x82, 0xA2):
            answer += (b"\x90\x03" if kind == 0x82 else b"\xb0\x02") + packet[2:4]
            answer += b"\0" * (kind == 0x82)
        elif kind == 0xC0:
            answer += packets.PINGRESP
    return answer or None


def test_forty_messages_with_a_qos_1_answer_each_do_not_nest():
    depth, deepest, done = [0], [0], []

    def callback(topic, message):
        depth[0] += 1
        deepest[0] = max(depth[0], deepest[0])
        bench.session.publish("event", message, 1)
        depth[0] -= 1
        done.append(message)

    bench = subscribed(callback, 1)
    bench.peer.expect(*[_acknowledging] * 200)
    texts = [b"%d" % i for i in range(40)]
    bench.peer.say(b"".join(_message(100 + i, texts[i]) for i in range(40)))
    bench.session.poll(0)
    assert deepest == [1]
    assert done == texts
    for i in range(40):
        assert packets.puback(100 + i) in bench.peer.segments, i
    assert bench.session.connected is True


def test_a_callback_may_call_everything():
    def callback(topic, message):
        session = bench.session
        session.subscribe("data", print, 1)
        session.unsubscribe("data")
        session.publish("event", b"0")
        session.publish("event", b"1", 1)
        session.poll(100)
        session.unsubscribe("control")

    bench = subscribed(callback, 1)
    bench.peer.expect(*[_acknowledging] * 20)
    bench.peer.say(_message(7))
    bench.session.poll(0)
    assert bench.peer.segments[-1] == packets.puback(7)
    assert [name for name, _ in bench.log if name in ("ERROR", "WARN")] == []
    assert bench.session.granted(TOPIC + "control") == 0


def test_what_arrives_in_a_callback_comes_after_it_in_its_order():
    order = []

    def callback(topic, message):
        order.append(b"in " + message)
        if message == b"1":
            bench.peer.say(_message(None, b"2") + _message(None, b"3"))
            bench.session.poll(500)
        order.append(b"out " + message)

    bench = subscribed(callback)
    bench.peer.say(_message(None, b"1"))
    bench.session.poll(0)
    assert order == [b"in 1", b"out 1", b"in 2", b"out 2", b"in 3", b"out 3"], order


def test_messages_that_nobody_fetches_are_bounded():
    got = []

    def callback(topic, message):
        if not got:
            bench.peer.say(b"".join(_message(100 + i) for i in range(100)))
            for _ in range(10):
                bench.session.poll(0)
        got.append(message)

    bench = subscribed(callback, 1)
    bench.peer.say(_message(7))
    bench.session.poll(10)
    assert len(got) == 65
    assert "wait for their callbacks" in bench.words()
    # Acknowledged all the same: a broker stops sending to who owes it too many.
    assert len(bench.peer.segments) == 101


def test_a_line_that_drops_while_a_callback_publishes():
    got = []

    def callback(topic, message):
        got.append(message)
        bench.session.publish("event", b"answer", 1)

    bench = subscribed(callback, 1)
    after = fakes.Peer(packets.CONNACK, *[_acknowledging] * 5)
    bench.net.add(after)
    bench.peer.expect(fakes.END)
    bench.peer.say(_message(7) + _message(8))
    bench.session.poll(0)
    assert got == [b"on", b"on"]
    assert bench.session.connected is True
    assert [name for name, _ in bench.log if name == "ERROR"] == [], bench.words()
    for pid in (7, 8):
        assert packets.puback(pid) not in after.segments, pid
    assert bench.session.acks == {}


def test_a_wait_ends_with_its_connection():
    bench = connected()
    after = fakes.Peer(packets.CONNACK, packets.puback(1))
    bench.net.add(after)

    def reconnected():
        bench.session.connect()  # what a second thread might do
        return False

    fakes.raises(NetworkError, bench.session.wait, reconnected, 1000, code="network.closed")
    assert bench.session.connected is True


def test_a_callback_without_memory_is_survived():
    def callback(topic, message):
        raise MemoryError

    bench = subscribed(callback, 1)
    bench.peer.say(_message(7))
    bench.session.poll(0)
    assert bench.peer.segments == [packets.puback(7)] and bench.session.connected is True


def test_an_interrupt_gets_out_of_a_callback_and_the_session_goes_on():
    for error in (KeyboardInterrupt(), SystemExit()):
        got = []

        def callback(topic, message, got=got, error=error):
            got.append(message)
            if len(got) == 1:
                raise error

        bench = subscribed(callback)
        bench.peer.say(_message(None, b"1") + _message(None, b"2"))
        assert fakes.raises(type(error), bench.session.poll, 0) is error
        assert got == [b"1"] and bench.session.connected is True
        bench.session.poll(0)
        assert got == [b"1", b"2"]
        fakes.restore()


def test_poll_0_takes_all_that_is_ready():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    bench.peer.say(_message() * 50)
    bench.session.poll(0)
    assert len(got) == 50


def test_poll_0_comes_back_from_a_flood():
    got = []

    def callback(topic, message):
        got.append(message)
        bench.peer.say(_message())

    bench = subscribed(callback)
    bench.peer.say(_message() * 10)
    bench.session.poll(0)
    assert 10 < len(got) <= 64, len(got)


def test_a_broker_that_sends_is_alive():
    count = [0]

    def callback(topic, message):
        count[0] += 1

    bench = subscribed(callback)
    bench.peer.expect(*[_acknowledging] * 100)
    for _ in range(500):
        for ms in (50, 150, 249):
            bench.peer.say(_message(), ms)
        bench.clock.sleep_ms(250)
        bench.session.poll(0)
    assert bench.session.connected is True and not bench.peer.closed
    assert count == [1500]


def test_any_packet_is_a_sign_of_life():
    bench = subscribed(print)
    for second in range(1, 200):
        bench.peer.say(_message(), second * 1000)  # and never a PINGRESP
    bench.session.poll(199000)
    assert bench.session.connected is True and packets.PINGREQ in bench.peer.segments
