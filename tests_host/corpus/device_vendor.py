"""The vendor SDK's names for the services, on its QcloudHub."""

import io
import json

import dynreg.services.vendor  # noqa: F401
import fakes
import packets
from facades import OWNER, Facade, connected
from fakes import NAME, PRODUCT

WHO = PRODUCT, NAME


def with_service(start, *answers):
    """A Facade on which start(hub, callback) has subscribed; heard is what the callback got."""
    board = connected()
    board.peer.expect(packets.suback(2), *answers)
    got = []
    assert start(board.hub, lambda *values: got.append(values))[0] == 0
    del board.peer.segments[:]
    return board, got


def published(board):
    """(topic, JSON) of each PUBLISH."""
    found = []
    for packet in packets.split(b"".join(board.peer.segments)):
        _, body = packets.read(io.BytesIO(packet).read)
        size = 2 + (body[0] << 8 | body[1])
        found.append((body[2:size].decode(), json.loads(body[size:].decode())))
    return found


def test_broadcasts():
    board, got = with_service(lambda hub, call: hub.broadcastInit(*WHO, call))
    topic = "$broadcast/rxd/" + OWNER
    board.say(b'{"a":1}', topic)
    board.say(b"text", topic)
    assert got == [(topic, 0, {"a": 1}, "user"), (topic, 0, "text", "user")]


def test_a_shadow_is_read_reported_and_cleared():
    board, got = with_service(lambda hub, call: hub.shadowInit(*WHO, call))
    hub = board.hub
    assert hub.getShadow(*WHO)[0] == 0
    count, name = hub.device_property(), hub.device_property()
    count.key, count.data, count.type = "count", 3, "int"
    name.key, name.data, name.type = "name", 'a "b"', "string"
    report = hub.shadowJsonConstructReport(*WHO, count, name)
    assert hub.shadowUpdate(*WHO, report, len(report))[0] == 0
    nothing = hub.shadowJsonConstructDesireAllNull(*WHO)
    assert hub.shadowUpdate(*WHO, nothing, len(nothing))[0] == 0
    found = published(board)
    assert {topic for topic, _ in found} == {"$shadow/operation/" + OWNER}
    assert len({message.pop("clientToken") for _, message in found}) == 3
    assert [message for _, message in found] == [
        {"type": "get"},
        {"type": "update", "state": {"reported": {"count": 3, "name": 'a "b"'}}},
        {"type": "update", "state": {"desired": None}},
    ]
    topic = "$shadow/operation/result/" + OWNER
    board.say(b'{"type":"delta"}', topic)
    assert got == [(topic, 0, {"type": "delta"}, "user")]


RXD, TXD = "$rrpc/rxd/" + OWNER, "$rrpc/txd/" + OWNER


def test_a_call_is_answered_from_its_callback():
    board = connected()
    board.peer.expect(packets.suback(2))

    def callback(topic, qos, payload, userdata):
        assert (topic, payload) == (RXD, {"a": 1})
        assert board.hub.rrpcReply(*WHO, "ok", 2)[0] == 0

    assert board.hub.rrpcInit(*WHO, callback)[0] == 0
    del board.peer.segments[:]
    board.say(b'{"a":1}', RXD + "/17")
    assert published(board) == [(TXD + "/17", "ok")]
    assert board.hub.rrpcReply(*WHO, "ok", 2)[0] == -1
    assert "no call waits" in board.words()


def test_calls_in_flight_get_their_own_answers():
    board, got = with_service(lambda hub, call: hub.rrpcInit(*WHO, call))
    for name in ("a", "b", "c"):
        board.say(b"x", RXD + "/" + name)
    assert len(got) == 3
    for number in range(3):
        assert board.hub.rrpcReply(*WHO, number, 1)[0] == 0
    assert published(board) == [(TXD + "/a", 0), (TXD + "/b", 1), (TXD + "/c", 2)]


def test_calls_that_nobody_answers_are_forgotten():
    board, _ = with_service(lambda hub, call: hub.rrpcInit(*WHO, call))
    for number in range(40):
        board.say(b"x", f"{RXD}/{number}")
    assert board.hub.rrpcReply(*WHO, "late", 4)[0] == 0
    assert published(board) == [(TXD + "/24", "late")]


def test_the_states_of_the_connection():
    board = Facade(fakes.Peer(packets.CONNACK))
    hub = board.hub
    hub.setReconnectInterval(20, 1)
    hub.setMessageTimout(10)
    assert hub.getConnectState() is hub.HubState.INITIALIZED
    hub.connect()
    assert hub.getConnectState() is hub.HubState.CONNECTED
    hub.disconnect()
    assert hub.getConnectState() is hub.HubState.DISCONNECTED
