"""The vendor SDK's names: what comes in and goes out."""

import json

import fakes
import packets
from facades import CONTROL, OWNER, connected
from hub import hub as facade


def _sent(peer):
    """(topic, message) of each PUBLISH with QoS 0 that went out."""
    found = []
    for packet in packets.split(peer.sent):
        if packet[0] == 0x30:
            body = packet[2:]
            size = 2 + body[1]
            found.append((body[2:size].decode(), body[size:]))
    return found


def test_json_text_and_bytes_reach_on_message():
    board = connected()
    for message, payload in (
        (b'{"n": 1}', {"n": 1}),
        (b"42", 42),
        (b'"text"', "text"),
        (b"plain text", "plain text"),
        (b'{"n": x}', '{"n": x}'),  # before 1.26 json takes one without its end
        (b"", ""),
        (b"\xff\xfe\x00", b"\xff\xfe\x00"),
        (b'{"n": "\xff"}', b'{"n": "\xff"}'),
        (b"\xc3(", b"\xc3("),
    ):
        assert board.say(message) is True, message
        name, topic, got, qos, userdata = board.heard.pop()
        assert (name, topic, qos, userdata) == ("message", CONTROL, 0, "user")
        assert (type(got), got) == (type(payload), payload), message
    assert not board.heard


def test_what_nests_too_deep_is_text():
    board = connected()
    message = b"[" * 4000 + b"]" * 4000

    def loads(text):
        raise RuntimeError("maximum recursion depth exceeded")

    fakes.replace(facade, "json", fakes.Namespace(loads=loads, dumps=json.dumps))
    assert board.say(message) is True
    assert board.heard[0][2] == message.decode()


def test_json_for_which_there_is_no_memory_is_text():
    board = connected()

    def loads(text):
        raise MemoryError

    fakes.replace(facade, "json", fakes.Namespace(loads=loads, dumps=json.dumps))
    assert board.say(b'{"n": 1}') is True
    assert board.heard[0][2] == '{"n": 1}'


def test_a_topics_own_callback_comes_in_place_of_on_message():
    board = connected()
    got = []
    board.hub.registerUserCallback(CONTROL, lambda *values: got.append(values))
    assert board.say(b"\x80") is True
    assert got == [(CONTROL, 0, b"\x80", "user")] and not board.heard


def test_a_callback_that_raises_is_a_line_and_no_more():
    for fault in (ValueError("mine"), MemoryError(), OSError(5)):
        board = connected()

        def own(*values, fault=fault):
            raise fault

        board.hub.registerUserCallback(CONTROL, own)
        assert board.say(b"1") is True
        assert "on_message: " + repr(fault) in board.words()
        fakes.restore()


def test_payloads_that_go_out():
    board = connected()
    for payload, message in (
        ({"n": 1}, b'{"n": 1}'),
        ([1, None, True], b"[1, null, true]"),
        ("text", b'"text"'),
        (5, b"5"),
        (b"\xff\x00", b"\xff\x00"),
        (bytearray(b"\x01"), b"\x01"),
    ):
        result, mid = board.hub.publish(OWNER + "/event", payload, 0)
        assert result == 0 and isinstance(mid, int)
        assert _sent(board.peer)[-1] == (OWNER + "/event", message), payload
        # Not before the program has the mid, as with the vendor's: its thread calls.
        assert not board.heard
        assert board.hub.isMqttConnected() is True
        assert board.heard.pop() == ("publish", mid, "user")


def test_a_callback_that_publishes_does_not_hold_up_the_turn():
    board = connected()
    board.hub.registerMqttCallback(
        None, None, None, lambda *_: board.hub.publish(OWNER + "/event", 1, 0), None, None
    )
    board.hub.publish(OWNER + "/event", 0, 0)
    for turn in range(4):
        assert len(_sent(board.peer)) == 1 + 2 * turn
        assert board.hub.isMqttConnected() is True


def test_subscribe_takes_a_pair_and_a_list():
    board = connected()
    board.peer.expect(packets.suback(2, 1))
    result, mid = board.hub.subscribe(("a/b", 1), 0)
    assert result == 0 and board.hub.isMqttConnected() is True
    assert board.heard.pop() == ("subscribe", mid, 1, "user")
    board.peer.expect(packets.suback(3, 1), packets.suback(4, 0))
    assert board.hub.subscribe([("a/c", 1), ("a/d", 0)])[0] == 0
    assert packets.subscribe(4, "a/d") in board.peer.segments
    board.peer.expect(packets.unsuback(5), packets.unsuback(6))
    assert board.hub.unsubscribe(["a/c", "a/d"])[0] == 0
    assert packets.unsubscribe(6, "a/d") in board.peer.segments
