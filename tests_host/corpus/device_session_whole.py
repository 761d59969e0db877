"""A session, what goes wrong in mid-packet: whole packets or none, messages too large, idle()."""

import gc

import fakes
import packets
from broker import TOPIC, connected, subscribed
from dynreg import port
from dynreg.connect import backoff, tls
from dynreg.errors import ConfigError, DynregError, NetworkError
from dynreg.mqtt import acknowledged, encode
from dynreg.mqtt import session as lib_session

PUBLISHED = packets.publish(TOPIC + "event", b"text")


# --- arguments ----------------------------------------------------------------------------------


def test_topics_and_messages_of_a_wrong_kind_are_refused_before_anything_is_sent():
    bench = connected()
    publish = bench.session.publish
    for topic in (None, 7, bytearray(b"x"), b"\xff", "", b"", ["x"]):
        for qos in (0, 1):
            fakes.raises(ConfigError, publish, topic, b"x", qos, code="argument", says="topic")
    for message in (None, 7, ["x"], 1.5):
        fakes.raises(ConfigError, publish, "event", message, code="argument", says="message")
    assert bench.peer.segments == [] and bench.session.connected


def test_topics_that_nobody_can_publish_to():
    bench = connected()
    for topic in ("a/+", "a/#", "+", "#", "a+", "a\0b", "/a", b"/a", "a/b#"):
        fakes.raises(ConfigError, bench.session.publish, topic, b"x", code="argument")
    assert bench.peer.segments == [] and bench.session.connected


def test_filters_that_are_none():
    bench = connected()
    for topic in ("a/b+", "a/+b/c", "a/#/b", "a#", "#/", "a/b#", "/a", "a\0b", None, 7, "+#"):
        fakes.raises(ConfigError, bench.session.subscribe, topic, print, code="argument")
        fakes.raises(ConfigError, bench.session.unsubscribe, topic, code="argument")
    assert bench.peer.segments == [] and bench.session.connected


def test_filters_that_are_some():
    bench = connected()
    topics = ("a/+", "a/#", "+/a", "+/+/#", "$share/g/a/+", b"a/+")
    for pid, topic in enumerate(topics, 1):
        bench.peer.expect(packets.suback(pid))
        bench.session.subscribe(topic, print)
        name = topic if isinstance(topic, str) else topic.decode()
        assert bench.peer.segments.pop() == packets.subscribe(pid, name), topic


def test_topics_and_messages_as_bytes():
    for message in (b"text", bytearray(b"text"), memoryview(b"text"), "text"):
        bench = connected()
        bench.peer.expect(None, packets.puback(1))
        for qos in (0, 1):
            bench.session.publish(b"event", message, qos)
        assert bench.peer.segments == [PUBLISHED, packets.publish(TOPIC + "event", b"text", 1)]
        fakes.restore()


# --- half a packet ------------------------------------------------------------------------------


def _raiser(error):
    def fail(*_):
        raise error

    return fail


def _what_comes_out(call, *arguments):
    try:
        call(*arguments)
    except BaseException as error:
        print("raised:", repr(error))
        return error
    raise AssertionError("nothing was raised")


def test_nothing_follows_half_a_packet_out():
    for error in (KeyboardInterrupt(), MemoryError()):
        for call in (
            lambda session: session.publish("event", b"m" * 3000),
            lambda session: session.publish("event", b"m" * 3000, 1, 1000),
            lambda session: session.subscribe("x" * 100, print),
            lambda session: session.unsubscribe("x" * 100),
        ):
            bench = connected()
            bench.net.add(fakes.Peer(packets.CONNACK))
            bench.peer.takes = 50
            bench.peer.expect(_raiser(error))
            raised = _what_comes_out(call, bench.session)
            assert isinstance(raised, DynregError) or raised is error
            assert bench.session.connected is False
            sent = len(bench.peer.segments)
            assert sent == 1
            fakes.raises(NetworkError, bench.session.publish, "event", b"next")
            assert len(bench.peer.segments) == sent
            bench.session.poll(6000)
            assert bench.session.connected is True and bench.peer.closed
            fakes.restore()


def test_half_a_packet_in_ends_the_connection():
    whole = packets.publish(TOPIC + "control", b"text")
    for count in (1, 2, 3, 5, len(whole) - 1):
        bench = connected()
        bench.net.add(fakes.Peer(packets.CONNACK))
        bench.peer.say(whole[:count])
        bench.peer.say(whole[count:], 900)
        with_idle = port.idle
        fakes.replace(port, "idle", _raiser(KeyboardInterrupt()))
        assert isinstance(_what_comes_out(bench.session.poll, 1000), KeyboardInterrupt)
        port.idle = with_idle
        assert bench.session.connected is False, count
        bench.session.poll(6000)
        assert bench.session.connected is True, count
        fakes.restore()


def test_an_interrupt_between_packets_ends_nothing():
    got = []
    bench = subscribed(lambda topic, message: got.append(message))
    bench.peer.say(packets.publish(TOPIC + "control", b"text"), 900)
    with_idle = port.idle
    fakes.replace(port, "idle", _raiser(KeyboardInterrupt()))
    assert isinstance(_what_comes_out(bench.session.poll, 1000), KeyboardInterrupt)
    port.idle = with_idle
    assert bench.session.connected is True
    bench.session.poll(1000)
    assert got == [b"text"]


def test_what_is_called_in_the_middle_of_a_packet_is_refused_and_the_packet_stays_whole():
    for call in (
        lambda session: session.publish("event", b"nested"),
        lambda session: session.publish("event", b"nested", 1),
        lambda session: session.publish("event", b"nested", wait=True),
        lambda session: session.subscribe("x", print),
        lambda session: session.poll(0),
    ):
        bench = connected()
        errors = []

        def idle(bench=bench, call=call, errors=errors):
            assert bench.session.connected is True
            errors.append(fakes.raises(ConfigError, call, bench.session, code="busy"))

        bench.peer.full = bench.clock.passed + 600
        fakes.replace(port, "idle", idle)
        bench.session.publish("event", b"text")
        assert errors and bench.peer.sent == PUBLISHED
        assert bench.session.connected is True
        fakes.restore()


# --- messages and memory ------------------------------------------------------------------------


def test_a_message_that_does_not_fit_into_the_heap_is_skipped_acknowledged_and_warned_about():
    got = []
    bench = subscribed(lambda topic, message: got.append(message), 1)

    def no_room(size):
        if size > 9000:
            raise MemoryError
        return bytes(size)

    fakes.replace(lib_session, "bytes", no_room)
    for size in (9000, 16384):
        bench.peer.say(packets.publish(TOPIC + "control", bytes(size), 513))
        bench.peer.say(packets.publish(TOPIC + "control", b"next", 514))
        bench.session.poll(10)
        assert got == [b"next"], size
        assert bench.peer.segments == [packets.puback(513), packets.puback(514)]
        assert TOPIC + "control: no room" in bench.log[-1][1], bench.log
        del got[:], bench.peer.segments[:]
    assert bench.session.connected is True


class _Large(fakes.Peer):
    """A peer whose message needs no memory of its own but what is being read."""

    def message(self, size):
        self._head = packets.packet(0x32, packets.text(TOPIC + "control") + b"\0\x07")
        self._head = packets.publish(TOPIC + "control", b"", 7)[2:]
        body = len(self._head) + size
        self._head = (
            bytes((0x32, body & 127 | 128, body >> 7 & 127 | 128, body >> 14)) + self._head
        )
        self._left = len(self._head) + size
        self._at = 0

    def due(self):
        return 0 if getattr(self, "_left", 0) else super().due()

    def take(self, size):
        if not getattr(self, "_left", 0):
            return super().take(size)
        if self._at < len(self._head):
            data = self._head[self._at : self._at + size]
        else:
            data = bytes(min(size, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data


def _with_free(size, call):
    """call() with about so many bytes of heap free in one piece, and hardly anything beside."""
    ballast = [None] * 100000
    count = 1
    gc.collect()
    ballast[0] = bytearray(size)  # one piece, taken before the rest is full of holes
    try:
        while count < len(ballast):
            ballast[count] = bytearray(1000)
            count += 1
    except MemoryError:
        pass
    ballast[0] = None
    gc.collect()
    print("free:", gc.mem_free())
    if gc.mem_free() > 1000000:
        raise fakes.Lacking("a heap of one size: this one grows")
    call()


def test_receiving_needs_as_much_memory_as_the_message_and_a_small_constant():
    if not fakes.MICROPYTHON:
        return
    got = [0, 0]

    def callback(topic, message):
        got[0] = len(message)
        got[1] += 1

    for free, comes in ((16384 + 7000, True), (12000, False)):
        peer = _Large(packets.CONNACK, packets.suback(1, 1))
        bench = connected(peer=peer)
        bench.session.subscribe("control", callback, 1)
        del peer.segments[:]
        got[:] = [0, 0]
        peer.message(16384)
        _with_free(free, lambda bench=bench: bench.session.poll(0))
        print(free, got)
        assert got == ([16384, 1] if comes else [0, 0]), (free, got)
        assert peer.segments == [packets.puback(7)]
        assert bench.session.connected is True
        fakes.restore()


def _no_memory(*_, **__):
    raise MemoryError


def test_nothing_but_a_dynreg_error_comes_out():
    for call in (
        lambda session: session.subscribe("x", print),
        lambda session: session.unsubscribe("x"),
        lambda session: session.publish("x", b""),
        lambda session: session.publish("x", b"", 1),
        lambda session: session.sync_clock(),
        lambda session: session.connect(),
    ):
        bench = connected()
        for module, name in (
            (acknowledged, "packet"),
            (acknowledged, "subscribe_packet"),
            (encode, "packet"),
            (tls, "connect"),
        ):
            fakes.replace(module, name, _no_memory)
        fakes.raises(DynregError, call, bench.session, code="memory", retry=True)
        fakes.restore()


def test_poll_survives_that_there_is_no_memory_even_for_the_back_off():
    bench = connected()
    bench.net.add(fakes.Peer(packets.CONNACK))
    bench.peer.say(fakes.END)
    lost = backoff.lost
    fakes.replace(backoff, "lost", _no_memory)
    fakes.raises(DynregError, bench.session.poll, 0, code="memory")
    backoff.lost = lost
    bench.session.poll(6000)
    assert bench.session.connected is True


def test_poll_goes_on_where_subscriptions_do_not_come_back_and_no_memory_is_left():
    bench = subscribed(print)
    silent, good = fakes.Peer(packets.CONNACK), fakes.Peer(packets.CONNACK, packets.suback(3))
    bench.net.add(silent, good)
    bench.peer.say(fakes.END)
    bench.session.poll(0)
    lost = backoff.lost
    fakes.replace(backoff, "lost", _no_memory)
    fakes.raises(DynregError, bench.session.poll, 20000, code="memory")
    backoff.lost = lost
    assert silent.closed and bench.session.connected is False
    bench.session.poll(6000)
    assert bench.session.connected is True
