"""The cloud's time: one segment out, the clock set right, whatever comes back and when."""

import json

import fakes
import packets
from broker import ASK, REQUEST, RESULT, TOPIC, connected
from dynreg import port
from dynreg.errors import LoginError, NetworkError, ProtocolError

NOW = fakes.NOW * 1000


def _reply(t1=NOW, t2=None, **changes):
    values = {"type": "get", "time": t1 // 1000, "ntptime1": t1, "ntptime2": t2 or t1}
    values.update(changes)
    return packets.publish(RESULT, json.dumps(values).encode())


def test_the_request_is_exactly_these_bytes_in_one_segment():
    bench = connected()
    bench.peer.expect(packets.suback(1) + _reply())
    bench.session.sync_clock()
    assert bench.peer.segments == [packets.subscribe(1, RESULT) + packets.publish(ASK, REQUEST)]
    assert packets.split(bench.peer.sent) == [
        packets.subscribe(1, RESULT),
        packets.publish(ASK, REQUEST),
    ]


def test_the_clock_is_right_after_a_known_round_trip():
    for latency, server, step in ((0, 0, 0), (300, 0, 0), (300, 40, 0), (301, 0, 0), (80, 0, 500)):
        bench = connected()
        # The request takes half of what is not the server's own time; the reply the rest, and
        # the SUBACK comes `step` later.
        there = (latency - server) // 2
        arrives = NOW + there
        bench.peer.expect(
            [
                (latency, _reply(arrives, arrives + server)),
                (latency + step, packets.suback(1)),
            ]
        )
        began = bench.clock.passed
        now = bench.session.sync_clock()
        truth = NOW + bench.clock.passed - began
        assert abs(now - truth) <= 1, (latency, server, step, now - truth)
        assert bench.clock.settings == [now]
        assert bench.clock.unix_ms() == now
        assert "current time: 2027-01-02 03:04:05" in bench.log[-1][1], bench.log[-1]
        fakes.restore()


def test_a_way_there_that_is_longer_than_back_is_half_as_wrong():
    bench = connected()
    bench.peer.expect([(300, packets.suback(1) + _reply(NOW + 300))])
    assert bench.session.sync_clock() - (NOW + 300) == 150


def test_a_reply_with_seconds_only():
    bench = connected()
    reply = packets.publish(RESULT, b'{"type":"get","time":%d}' % fakes.NOW)
    bench.peer.expect([(300, packets.suback(1) + reply)])
    assert bench.session.sync_clock() == NOW + 150


def test_the_second_time_is_as_right_as_the_first():
    bench = connected()
    for pid in (1, 2):
        bench.peer.expect([(100, packets.suback(pid) + _reply(NOW + bench.clock.passed + 50))])
        assert bench.session.sync_clock() == NOW + bench.clock.passed, pid
        bench.clock.sleep_ms(3600000)


def test_a_reply_before_the_suback():
    bench = connected()
    bench.peer.expect([(100, _reply(NOW)), (400, packets.suback(1))])
    assert bench.session.sync_clock() == NOW + 50 + 300


def test_no_reply():
    for ms in (10000, 700):
        bench = connected()
        bench.peer.expect([(100, packets.suback(1))])
        fakes.raises(
            NetworkError,
            bench.session.sync_clock,
            ms,
            code="network.timeout",
            says="no time from the cloud",
            retry=True,
        )
        assert bench.clock.passed == 100 + ms
        assert bench.clock.settings == [] and bench.session.connected is True
        fakes.restore()


def test_no_suback():
    bench = connected()
    bench.peer.expect([(100, _reply())])
    fakes.raises(NetworkError, bench.session.sync_clock, code="network.timeout")
    assert bench.clock.passed == 10000 and bench.clock.settings == []


def test_a_subscription_to_the_time_that_is_not_granted():
    bench = connected()
    bench.peer.expect(packets.suback(1, 0x80))
    fakes.raises(LoginError, bench.session.sync_clock, code="subscribe.refused", says=RESULT)
    assert bench.clock.settings == []


def _after_a_first_reply_that_comes_late_or_twice(polled):
    """sync_clock() where the last one's reply still waits to be read."""
    bench = connected()
    bench.peer.expect([(100, packets.suback(1)), (1500, _reply(NOW + 1400))])
    fakes.raises(NetworkError, bench.session.sync_clock, 1000, code="network.timeout")
    bench.clock.sleep_ms(8000)
    if polled:
        bench.session.poll(0)
    sent = NOW + bench.clock.passed
    bench.peer.expect([(100, packets.suback(2)), (200, _reply(sent + 100))])
    now = bench.session.sync_clock()
    truth = NOW + bench.clock.passed
    assert now == truth, now - truth


def test_a_late_reply_that_was_polled_is_not_the_next_ones():
    _after_a_first_reply_that_comes_late_or_twice(True)


def test_a_late_reply_is_not_the_next_ones():
    _after_a_first_reply_that_comes_late_or_twice(False)


def test_a_reply_that_comes_twice():
    bench = connected()
    bench.peer.expect([(100, packets.suback(1) + _reply(NOW + 50) * 2)])
    assert bench.session.sync_clock() == NOW + 100
    bench.session.poll(0)
    assert len(bench.clock.settings) == 1 and bench.session.connected is True
    assert "WARN" not in [name for name, _ in bench.log], bench.log


def test_a_reply_that_comes_twice_does_not_spoil_the_next():
    bench = connected()
    bench.peer.expect([(100, packets.suback(1) + _reply(NOW + 50) * 2)])
    bench.session.sync_clock()
    bench.clock.sleep_ms(60000)
    sent = NOW + bench.clock.passed
    bench.peer.expect([(100, packets.suback(2)), (200, _reply(sent + 100))])
    now = bench.session.sync_clock()
    assert now == NOW + bench.clock.passed, now - NOW - bench.clock.passed


def test_what_else_comes_on_the_topic():
    for message in (
        b"",
        b"no JSON",
        b"\xff\xfe\xfd",
        b"\0",
        b"[]",
        b"null",
        b"5",
        b'"get"',
        b'{"type":"ssh","switch":1}',
        b'{"type":"set","time":1}',
        b'{"type":"get","resource":["firmware"]}',
        b'{"time":1}',
        b'{"type":"get","ti',
        b"[" * 200,
    ):
        bench = connected()
        bench.peer.expect(
            [
                (50, packets.publish(RESULT, message)),
                (100, packets.suback(1)),
                (150, packets.publish(RESULT, message)),
                (300, _reply(NOW + 150)),
            ]
        )
        assert bench.session.sync_clock() == NOW + 300, message
        fakes.restore()


def test_replies_without_a_plausible_time():
    for changes in (
        {"ntptime1": 0, "ntptime2": 0},
        {"ntptime1": "x", "ntptime2": "y"},
        {"ntptime1": None, "ntptime2": None},
        {"ntptime1": NOW // 1000, "ntptime2": NOW // 1000},
        {"ntptime1": NOW * 1000, "ntptime2": NOW * 1000},
        {"ntptime1": [], "ntptime2": {}},
    ):
        bench = connected()
        bench.peer.expect(packets.suback(1) + _reply(**changes))
        fakes.raises(ProtocolError, bench.session.sync_clock, code="protocol.time", retry=900)
        assert bench.clock.settings == [], changes
        fakes.restore()


def test_a_reply_with_an_endless_number():
    bench = connected()
    reply = packets.publish(RESULT, b'{"type":"get","time":1e999}')
    bench.peer.expect(packets.suback(1) + reply)
    fakes.raises(ProtocolError, bench.session.sync_clock, code="protocol.time")


def test_a_platform_without_a_clock_still_says_the_time():
    bench = connected()
    fakes.replace(bench.clock, "settings", [])
    fakes.replace(port, "set_rtc", lambda unix: False)
    bench.peer.expect(packets.suback(1) + _reply())
    assert bench.session.sync_clock() == NOW
    assert "no clock to set" in bench.words()


# --- a better time, in poll() -------------------------------------------------------------------


def _nagle(more=0):
    """A Bench whose first reply was held back until the SUBACK was acknowledged, 40 ms later."""
    bench = connected()
    bench.peer.expect([(2, packets.suback(1)), (42 + more, _reply(NOW + 1))])
    bench.session.sync_clock()
    del bench.peer.segments[:]
    return bench


def _error(bench):
    return bench.clock.unix_ms() - (NOW + bench.clock.passed)


def _answers(bench, there, back):
    return lambda _: [(there + back, _reply(NOW + bench.clock.passed + there))]


def test_a_reply_held_back_is_known_as_an_uncertainty():
    bench = _nagle()
    assert (_error(bench), bench.session.within) == (-20, 23)


def test_a_reply_held_back_is_out_of_the_clock_after_the_first_poll():
    bench = _nagle()
    bench.peer.expect(_answers(bench, 1, 1))
    bench.session.poll(10)
    assert (_error(bench), bench.session.within) == (0, 3)
    assert bench.peer.segments == [packets.publish(ASK, REQUEST)], "with nothing else on its way"


def test_a_better_time_is_not_waited_for():
    bench = _nagle()
    began = bench.clock.passed
    bench.session.poll(0)
    assert len(bench.peer.segments) == 1 and bench.clock.passed == began


def test_a_better_time_that_never_comes_is_asked_for_once():
    bench = _nagle()
    bench.session.poll(29000)
    assert len(bench.peer.segments) == 1 and len(bench.clock.settings) == 1


def test_an_exchange_that_something_else_disturbed_is_made_again():
    bench = _nagle()
    other = packets.publish(TOPIC + "data", b"x")
    bench.peer.expect(
        [(1, other), (30, _reply(NOW + bench.clock.passed + 1))],
        _answers(bench, 1, 1),
    )
    bench.session.poll(100)
    assert (_error(bench), bench.session.within, len(bench.peer.segments)) == (0, 3, 2)


def test_a_better_time_is_looked_for_three_times_at_most_and_never_a_worse_one_taken():
    bench = _nagle()
    bench.peer.expect(*[_answers(bench, 1, 99) for _ in range(9)])
    bench.session.poll(10000)
    assert len(bench.peer.segments) == 3
    assert (_error(bench), bench.session.within) == (-20, 23)


def test_no_better_time_than_one_as_good_is_looked_for():
    bench = _nagle()
    bench.peer.expect(*[_answers(bench, 21, 21) for _ in range(9)])
    bench.session.poll(10000)
    assert len(bench.peer.segments) == 1, "the way is as long as that"


def test_a_clock_that_the_program_set_otherwise_is_left_alone():
    bench = _nagle()
    bench.clock.set_rtc(NOW + 3600000)  # local time
    bench.peer.expect(_answers(bench, 1, 1))
    bench.session.poll(10)
    assert len(bench.clock.settings) == 2


def test_a_better_time_that_is_none_changes_nothing():
    bench = _nagle()
    bench.peer.expect(_reply(ntptime1=0, ntptime2=0))
    bench.session.poll(5000)
    assert len(bench.clock.settings) == 1 and len(bench.peer.segments) == 1
    assert bench.session.connected is True


def test_another_services_answer_is_no_answer_of_the_time():
    bench = _nagle()
    bench.peer.expect(
        [
            (1, packets.publish(RESULT, b'{"type":"ssh"}')),
            (4, _reply(NOW + bench.clock.passed + 2)),
        ]
    )
    bench.session.poll(10)
    assert (_error(bench), bench.session.within) == (0, 4)


def test_a_time_asked_for_while_poll_has_asked_takes_that_reply():
    bench = _nagle()
    bench.peer.expect(_answers(bench, 10, 10))
    bench.session.poll(5)
    assert bench.session.sync_clock() == NOW + bench.clock.passed
    assert len(bench.peer.segments) == 1


def test_a_time_asked_for_long_after_poll_has_asked_in_vain_is_asked_for():
    bench = _nagle()
    bench.session.poll(4000)
    bench.peer.expect(_answers(bench, 10, 10))
    assert bench.session.sync_clock() == NOW + bench.clock.passed
    assert len(bench.peer.segments) == 2


def test_a_better_time_is_looked_for_over_a_lost_connection_too():
    bench = _nagle()
    bench.peer.expect(fakes.END)
    second = fakes.Peer(packets.CONNACK)
    second.expect(
        lambda _: [
            (1, packets.suback(2)),
            (41, _reply(NOW + bench.clock.passed + 1)),
        ],
        _answers(bench, 1, 1),
    )
    bench.net.add(second)
    bench.session.poll(20000)
    assert (_error(bench), bench.session.within) == (0, 3)
    assert second.segments[1:] == [
        packets.subscribe(2, RESULT) + packets.publish(ASK, REQUEST),
        packets.publish(ASK, REQUEST),
    ]


def test_no_memory_for_a_better_time_ends_nothing():
    bench = _nagle()
    step = port.step

    def full(module, function, *arguments):
        if module == "mqtt.refine":
            raise MemoryError
        return step(module, function, *arguments)

    fakes.replace(port, "step", full)
    bench.session.poll(0)
    assert bench.session.connected is True and bench.peer.segments == []
    assert bench.words().count("time: not set anew") == 3


def test_the_second_time_needs_no_second_subscribe():
    bench = connected()
    bench.peer.expect(packets.suback(1) + _reply(), _reply())
    bench.session.sync_clock()
    bench.session.sync_clock()
    assert bench.peer.segments[1:] == [packets.publish(ASK, REQUEST)]


def test_a_new_connection_needs_a_subscribe_of_its_own():
    bench = connected()
    bench.peer.expect(packets.suback(1) + _reply())
    bench.session.sync_clock()
    second = fakes.Peer(packets.CONNACK, packets.suback(2) + _reply())
    bench.net.add(second)
    bench.session.connect()
    bench.session.sync_clock()
    assert second.segments[1] == packets.subscribe(2, RESULT) + packets.publish(ASK, REQUEST)


def test_a_connection_that_ends_before_the_reply():
    bench = connected()
    bench.peer.expect([(100, packets.suback(1)), (200, fakes.END)])
    fakes.raises(NetworkError, bench.session.sync_clock, code="network.closed")
    assert bench.clock.settings == []
