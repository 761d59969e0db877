"""The shadow: tokens matched, versions, what is desired told once, kept in flash only if asked."""

import json

import fakes
import packets
from broker import connected
from dynreg.errors import ConfigError, NetworkError, ProtocolError
from dynreg.services.shadow import Shadow, kept

UP = "$shadow/operation/ABCDEFGHIJ/dev-01"
DOWN = "$shadow/operation/result/ABCDEFGHIJ/dev-01"


def sent(segment):
    """The JSON of a PUBLISH to UP."""
    head, rest = packets.publish(UP, b"")[0], packets.text(UP)
    assert segment[0] == head
    assert rest in segment
    return json.loads(segment[segment.find(rest) + len(rest) :].decode())


def payload(state, version):
    return {"state": state, "timestamp": 1626770626087, "version": version}


def reply(request, state, version=1, result=0, **more):
    """The PUBLISH that answers a request."""
    message = {"clientToken": request["clientToken"], "payload": payload(state, version)}
    message.update({"result": result, "timestamp": 1626770697, "type": request["type"]})
    message.update(more)
    return packets.publish(DOWN, json.dumps(message).encode())


def delta(state, version):
    message = {"type": "delta", "timestamp": 1, "payload": payload(state, version)}
    return packets.publish(DOWN, json.dumps(message).encode())


class Desk:
    """A shadow on a Bench; answers: the state, version and result of each reply to come."""

    def __init__(self, *answers, **options):
        self.got = []
        self.requests = []
        self.bench = connected()
        self.bench.peer.expect(packets.suback(1))
        self.shadow = Shadow(
            self.bench.session, lambda delta, version: self.got.append((delta, version)), **options
        )
        assert self.bench.peer.segments == [packets.subscribe(1, DOWN)]
        del self.bench.peer.segments[:]
        self.bench.peer.expect(*[self._answer(answer) for answer in answers])

    def _answer(self, answer):
        def answering(segment):
            request = sent(segment)
            self.requests.append(request)
            return answer and reply(request, *answer)

        return answering

    def push(self, *messages):
        for message in messages:
            self.bench.peer.say(message)
        self.bench.session.poll(0)


def test_the_whole_state_is_read():
    state = {"reported": {"t": 27}, "desired": {"t": 25}, "delta": {"t": 25}}
    desk = Desk((state, 14))
    assert desk.shadow.read() == state
    assert desk.requests[0]["type"] == "get"
    assert desk.shadow.version == 14
    assert desk.shadow.desired == {"t": 25}
    assert desk.got == [({"t": 25}, 14)]


def test_a_report_and_its_reply():
    desk = Desk(({"reported": {"t": 1}}, 5))
    desk.shadow.report({"t": 1})
    token = desk.requests[0].pop("clientToken")
    assert desk.requests == [{"type": "update", "state": {"reported": {"t": 1}}}]
    assert token.endswith("-1")
    assert desk.shadow.version == 5


def test_what_was_done_is_reported_and_desired_no_more():
    desk = Desk(({"reported": {"led": 1}, "desired": None}, 5))
    desk.push(delta({"led": 1}, 4))
    assert desk.shadow.desired == {"led": 1}
    desk.shadow.report({"led": 1}, clear=True, version=4)
    request = desk.requests[0]
    assert request["state"] == {"reported": {"led": 1}, "desired": None}
    assert request["version"] == 4
    assert desk.shadow.desired == {}


def test_only_clearing():
    desk = Desk(({"desired": None}, 5))
    desk.shadow.report(clear=True)
    assert desk.requests[0]["state"] == {"desired": None}


def test_another_version_is_refused():
    desk = Desk(({"reported": {}}, 7, 5005))
    error = fakes.raises(
        ProtocolError, desk.shadow.report, {"t": 1}, False, 3, code="service.refused"
    )
    assert error.cloud_code == "5005"
    assert error.retry is False


def test_no_reply_in_time():
    desk = Desk(None)
    before = desk.bench.clock.ticks_ms()
    fakes.raises(NetworkError, desk.shadow.read, 700, code="network.timeout")
    assert desk.bench.clock.ticks_ms() - before >= 700


def test_replies_come_in_any_order_each_to_its_request():
    desk = Desk(None, None)
    desk.shadow.report({"a": 1}, ms=0)
    desk.shadow.report({"b": 1}, ms=0)
    first, second = (sent(segment) for segment in desk.bench.peer.segments)
    assert first["clientToken"] != second["clientToken"]
    desk.push(reply(second, {"reported": {}}, 2, 5005), reply(first, {"reported": {}}, 1))
    assert desk.bench.words().count(second["clientToken"] + ": refused: 5005") == 1
    assert desk.shadow.version == 1


def test_a_reply_that_is_not_ours_is_nothing():
    desk = Desk()
    for token in ("x", "", None, 7, [], {}):
        stranger = {"type": "get", "clientToken": token}
        desk.push(reply(stranger, {"desired": {"t": 1}, "delta": {"t": 1}}, 9))
    assert desk.got == []
    assert desk.shadow.version == 0


def test_a_delta_that_was_overtaken_asks_for_all():
    desk = Desk(({"desired": {"t": 3}, "delta": {"t": 3}}, 2))
    desk.push(delta({"t": 1}, 5))
    desk.push(delta({"t": 2}, 4))
    assert desk.got == [({"t": 1}, 5), ({"t": 3}, 2)]
    assert desk.shadow.version == 2


def test_a_callback_may_report_but_not_wait():
    errors = []

    def changed(delta, version):
        try:
            shadow.report(delta)
        except ConfigError as error:
            errors.append(error.code)
        shadow.report(delta, ms=0)

    bench = connected()
    bench.peer.expect(packets.suback(1))
    shadow = Shadow(bench.session, changed)
    bench.peer.say(delta({"led": 1}, 1))
    bench.session.poll(0)
    assert errors == ["argument"]
    assert sent(bench.peer.segments[-1])["state"] == {"reported": {"led": 1}}
    assert len(bench.peer.segments) == 2


def test_each_connection_is_read_once():
    desk = Desk(({"reported": {}}, 1))
    bench = desk.bench
    for _ in range(3):
        desk.shadow.sync()
        bench.session.poll(0)
    assert len(desk.requests) == 1
    missed = {"desired": {"led": 1}, "delta": {"led": 1}}
    after = fakes.Peer(packets.CONNACK, packets.suback(2))
    after.expect(lambda segment: reply(sent(segment), missed, 8))
    bench.net.add(after)
    bench.session.close()
    desk.shadow.sync()  # offline: nothing
    bench.clock.sleep_ms(5000)
    bench.session.connect()
    for _ in range(3):
        desk.shadow.sync()
        bench.session.poll(0)
    assert desk.got == [({"led": 1}, 8)]
    assert len(after.segments) == 3  # CONNECT, SUBSCRIBE, get


def test_a_read_without_reply_is_tried_again():
    desk = Desk(None, ({"reported": {}}, 1))
    for _ in range(49):
        desk.shadow.sync()
        desk.bench.session.poll(100)
    assert len(desk.requests) == 1
    for _ in range(20):
        desk.shadow.sync()
        desk.bench.session.poll(100)
    assert len(desk.requests) == 2
    assert desk.shadow.version == 1


def test_a_line_that_breaks_under_sync_is_polls_to_heal():
    desk = Desk(({"reported": {}}, 1))
    session = desk.bench.session
    publish = session.publish

    def broken(*arguments):
        raise NetworkError("network.closed", "broken")

    session.publish = broken
    desk.shadow.sync()
    session.publish = publish
    desk.bench.clock.sleep_ms(5000)
    desk.shadow.sync()
    session.poll(0)
    assert desk.shadow.version == 1


HOSTILE = (
    b"",
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b"{}",
    b"\xff\xfe",
    b"{",
    b'{"type":"delta"}',
    b'{"type":"delta","payload":null}',
    b'{"type":"delta","payload":{"state":null,"version":1}}',
    b'{"type":"delta","payload":{"state":[],"version":1}}',
    b'{"type":"delta","payload":{"version":1}}',
    b'{"type":["delta"]}',
    b"[" * 3000,
    b'{"a":' * 1000,
)


def test_hostile_messages_end_nothing():
    desk = Desk()
    for message in HOSTILE:
        desk.push(packets.publish(DOWN, message))
    assert desk.got == []
    assert desk.bench.session.connected is True
    desk.push(delta({"led": 1}, 1))
    assert desk.got == [({"led": 1}, 1)]


def test_hostile_replies_are_errors_and_end_nothing():
    for value in (None, [], 7, {}, {"state": 3, "version": 1}):

        def hostile(segment, value=value):
            return reply(sent(segment), {}, 1, payload=value)

        desk = Desk()
        desk.bench.peer.expect(hostile)
        fakes.raises(ProtocolError, desk.shadow.read, 500, code="service.reply")
        assert desk.bench.session.connected is True
        assert desk.shadow.version == 0
        fakes.restore()


def test_desired_is_kept_in_flash_if_asked():
    path = fakes.folder() + "/shadow"
    assert kept(path) == {}
    desk = Desk(path=path)
    assert fakes.exists(path) is False
    desk.push(delta({"led": 1}, 1), delta({"fan": 2}, 2))
    assert kept(path) == {"led": 1, "fan": 2}, "before there is a session"
    again = Desk(path=path)
    assert again.shadow.desired == {"led": 1, "fan": 2}
    assert again.shadow.version == 0
    assert again.got == []


def test_one_write_for_a_change_and_none_without():
    path = fakes.folder() + "/shadow"
    desk = Desk(({"reported": {"led": 1}}, 3), path=path)
    desk.push(delta({"led": 1}, 1))
    fakes.write(path, "left alone")
    desk.push(delta({"led": 1}, 2))
    desk.shadow.report({"led": 1})
    assert fakes.read(path) == b"left alone"
    desk.push(delta({"led": 2}, 4))
    assert fakes.read(path) != b"left alone"


def test_a_damaged_file_is_not_used():
    for data in ("", "xxxx{}", "\0\0\0\0[1]", "abc"):
        path = fakes.write(fakes.folder() + "/shadow", data)
        desk = Desk(path=path)
        assert desk.shadow.desired == {}, data
        assert "damaged" in desk.bench.words() or not data, data
        fakes.restore()


def test_a_file_that_cannot_be_written_keeps_nothing_from_the_program():
    desk = Desk(path="/no/such/folder/at/all/shadow")
    desk.push(delta({"led": 1}, 1))
    assert desk.got == [({"led": 1}, 1)]
    assert "callback for" in desk.bench.words()
