"""Calls from the cloud: several in flight, each answer to its own, in time or not at all."""

import fakes
import packets
from broker import connected
from dynreg.errors import ConfigError, LoginError, NetworkError
from dynreg.services import rrpc

RXD = "$rrpc/rxd/ABCDEFGHIJ/dev-01/"
TXD = "$rrpc/txd/ABCDEFGHIJ/dev-01/"


def serving(handler):
    """A Bench that serves calls; its peer's record is empty."""
    bench = connected()
    bench.peer.expect(packets.suback(1))
    rrpc.serve(bench.session, handler)
    assert bench.peer.segments == [packets.subscribe(1, RXD + "+")]
    del bench.peer.segments[:]
    return bench


def call(bench, process_id, message=b"x"):
    bench.peer.say(packets.publish(RXD + process_id, message))
    bench.session.poll(0)


def test_what_the_handler_returns_is_the_answer():
    got = []

    def handler(call):
        got.append((call.id, call.message))
        return "answer to " + call.id

    bench = serving(handler)
    call(bench, "17", b'{"led":1}')
    assert got == [("17", b'{"led":1}')]
    assert bench.peer.segments == [packets.publish(TXD + "17", b"answer to 17")]


def test_an_empty_answer_is_one():
    bench = serving(lambda call: b"")
    call(bench, "1")
    assert bench.peer.segments == [packets.publish(TXD + "1", b"")]


def test_calls_in_flight_are_answered_in_any_order():
    calls = []
    bench = serving(calls.append)
    bench.peer.say(b"".join(packets.publish(RXD + name, b"x") for name in ("a", "b", "c")))
    bench.session.poll(0)
    assert bench.peer.segments == []
    for one in (calls[1], calls[2], calls[0]):
        one.answer(one.id)
    assert bench.peer.segments == [packets.publish(TXD + one, one.encode()) for one in "bca"]


def test_a_second_answer_is_refused():
    calls = []
    bench = serving(calls.append)
    call(bench, "1")
    calls[0].answer("yes")
    fakes.raises(ConfigError, calls[0].answer, "no", code="argument")
    assert len(bench.peer.segments) == 1


def test_a_late_answer_is_not_sent_and_the_handler_is_told():
    calls = []
    bench = serving(calls.append)
    call(bench, "1")
    bench.clock.sleep_ms(10001)
    error = fakes.raises(NetworkError, calls[0].answer, "late", code="service.late")
    assert error.retry is False
    assert bench.peer.segments == []


def test_an_answer_after_4_s_is_sent_with_a_warning():
    def slow(call):
        bench.clock.sleep_ms(4001)
        return "slow"

    bench = serving(slow)
    call(bench, "1")
    assert bench.peer.segments == [packets.publish(TXD + "1", b"slow")]
    assert "call 1: the answer took 4001 ms" in bench.words()


def test_a_call_is_answered_over_another_connection():
    calls = []
    bench = serving(calls.append)
    call(bench, "1")
    after = fakes.Peer(packets.CONNACK, packets.suback(2))
    bench.net.add(after)
    bench.session.close()
    fakes.raises(NetworkError, calls[0].answer, "no line", code="network.closed")
    bench.session.connect()
    assert packets.subscribe(2, RXD + "+") in after.segments
    calls[0].answer("again")
    assert after.segments[-1] == packets.publish(TXD + "1", b"again")


def test_a_handler_that_fails_ends_nothing():
    def handler(call):
        if call.id == "1":
            raise ValueError("mine")
        return "2"

    bench = serving(handler)
    call(bench, "1")
    call(bench, "2")
    assert bench.peer.segments == [packets.publish(TXD + "2", b"2")]
    assert "mine" in bench.words()


def test_an_answer_that_cannot_be_sent_ends_nothing():
    for answer in (b"x" * 16385, 17, ["a"]):
        bench = serving(lambda call, answer=answer: answer)
        call(bench, "1")
        assert bench.peer.segments == []
        assert "16384 bytes at most" in bench.words()
        assert bench.session.connected is True
        fakes.restore()


def test_a_hostile_process_id_is_answered_as_it_is_or_not_at_all():
    for name in ("+", "#", "a b", "\x01", "'\"\\", "x" * 200):
        bench = serving(lambda call: b"ok")
        call(bench, name)
        expected = [] if name in "+#" else [packets.publish(TXD + name, b"ok")]
        assert bench.peer.segments == expected, name
        assert bench.session.connected is True
        fakes.restore()


def test_the_cloud_may_not_grant_it():
    bench = connected()
    bench.peer.expect(packets.suback(1, 0x80))
    fakes.raises(LoginError, rrpc.serve, bench.session, print, code="subscribe.refused")
