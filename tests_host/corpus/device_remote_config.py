"""Remote configuration: asked for, pushed, kept; what is none changes nothing."""

import json

import fakes
import packets
from broker import connected
from dynreg.services.config import Config

ASK = packets.publish("$config/operation/ABCDEFGHIJ/dev-01", b'{"type":"get"}')
RESULT = "$config/operation/result/ABCDEFGHIJ/dev-01"


class Bench:
    """A Config on a session; told: what `changed` got."""

    def __init__(self, path=None):
        self.bench = connected()
        self.session, self.peer = self.bench.session, self.bench.peer
        self.clock = self.bench.clock
        self.path = path or fakes.folder() + "/remote.config"
        self.told = []
        self.config = Config(self.session, self.told.append, self.path)

    def subscribe(self):
        self.peer.expect(packets.suback(1, 1))
        self.config.poll()
        assert self.peer.segments == [packets.subscribe(1, RESULT, qos=1), ASK]
        del self.peer.segments[:]

    def say(self, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.peer.say(packets.publish(RESULT, data))
        self.session.poll(0)


def subscribed():
    bench = Bench()
    bench.subscribe()
    return bench


def test_without_a_file_there_is_none():
    assert Bench().config.value is None


def test_the_answer_is_told_and_kept():
    bench = subscribed()
    bench.say({"type": "reply", "result": 0, "payload": {"period": 5}})
    assert bench.told == [{"period": 5}]
    assert bench.config.value == {"period": 5}
    assert Config(bench.session, path=bench.path).value == {"period": 5}


def test_what_json_would_write_otherwise_is_kept_as_it_came():
    for text in (b"1e999", b"-1e999", b"0.1", b"12345678901234567890", b'"\\ud800"'):
        bench = subscribed()
        bench.say(b'{"type":"push","payload":{"n":' + text + b"}}")
        (told,) = bench.told
        assert Config(bench.session, path=bench.path).value == told == bench.config.value, text
        fakes.restore()


def test_a_push_is_told_and_kept():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    assert bench.told == [{"period": 6}]
    assert Config(bench.session, path=bench.path).value == {"period": 6}


def test_the_same_again_is_no_change():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    written = fakes.read(bench.path)
    fakes.write(bench.path, b"not touched")
    bench.say({"type": "reply", "result": 0, "payload": {"period": 6}})
    assert bench.told == [{"period": 6}]
    assert fakes.read(bench.path) == b"not touched"
    fakes.write(bench.path, written)


def test_none_in_the_cloud_leaves_what_was_kept():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    bench.say({"type": "reply", "result": 1001, "payload": {}})
    assert bench.config.value == {"period": 6}


def test_what_the_program_refuses_is_not_kept():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})

    def refuse(value):
        raise ValueError("no such period")

    bench.config.changed = refuse
    bench.say({"type": "push", "payload": {"period": -1}})
    assert bench.config.value == {"period": 6}
    assert Config(bench.session, path=bench.path).value == {"period": 6}
    assert "no such period" in bench.bench.words()


def test_hostile_payloads_change_nothing():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    for message in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"type":"push"}',
        b'{"type":"push","payload":[1]}',
        b'{"type":"push","payload":"text"}',
        b'{"type":"reply","result":0}',
        b'{"type":"reply","result":[],"payload":7}',
        b'{"type":{},"payload":{"a":1}}',
        b"[" * 2000,
    ):
        bench.say(message)
        assert bench.session.connected, message
    assert bench.told == [{"period": 6}]
    assert Config(bench.session, path=bench.path).value == {"period": 6}


def test_it_asks_three_times():
    bench = subscribed()
    for _ in range(2):
        bench.clock.passed += 10000
        bench.config.poll()
    assert bench.peer.segments == [ASK, ASK]
    bench.clock.passed += 10000
    bench.config.poll()
    bench.clock.passed += 60000
    bench.config.poll()
    assert bench.peer.segments == [ASK, ASK]
    assert "no answer" in bench.bench.words()


def test_an_answer_ends_the_asking():
    bench = subscribed()
    bench.say({"type": "reply", "result": 0, "payload": {}})
    bench.clock.passed += 20000
    bench.config.poll()
    assert bench.peer.segments == []


def test_a_new_connection_asks_again():
    bench = subscribed()
    bench.say({"type": "reply", "result": 0, "payload": {}})
    bench.clock.passed += 1
    bench.session.since = bench.clock.ticks_ms()  # as Session.attach() does
    bench.config.poll()
    assert bench.peer.segments == [ASK]


def test_without_a_connection_nothing_is_asked():
    bench = Bench()
    bench.session.close()
    bench.config.poll()
    assert bench.peer.segments == []


def test_a_topic_that_is_refused_is_asked_for_again_later():
    bench = Bench()
    bench.peer.expect(packets.suback(1, 128))
    bench.config.poll()
    assert "subscribe.refused" in bench.bench.words()
    del bench.peer.segments[:]
    bench.config.poll()
    assert bench.peer.segments == []
    bench.clock.passed += 60000
    bench.peer.expect(packets.suback(2, 1))
    bench.config.poll()
    assert bench.peer.segments == [packets.subscribe(2, RESULT, qos=1), ASK]


def test_a_file_that_is_damaged_is_none():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    data = fakes.read(bench.path)
    for damaged in (b"", data[:3], data[:-1], data[:-2] + b"9}", b"\0" * 40):
        fakes.write(bench.path, damaged)
        assert Config(bench.session, path=bench.path).value is None, damaged


def test_what_fat_left_under_its_other_name_counts():
    bench = subscribed()
    bench.say({"type": "push", "payload": {"period": 6}})
    fakes.write(bench.path + ".tmp", fakes.read(bench.path))
    fakes.write(bench.path, b"")
    assert Config(bench.session, path=bench.path).value == {"period": 6}


def test_a_flash_that_takes_nothing_is_logged():
    bench = subscribed()
    bench.config.path = fakes.folder() + "/no/folder/remote.config"
    bench.say({"type": "push", "payload": {"period": 6}})
    assert bench.config.value is None
    assert bench.session.connected
