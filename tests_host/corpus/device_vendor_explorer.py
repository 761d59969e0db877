"""The vendor SDK's QcloudExplorer: the data template."""

import io
import json

import dynreg.services.vendor_explorer  # noqa: F401
import facades
import fakes
import packets
from explorer.explorer import QcloudExplorer
from facades import OWNER, Facade
from fakes import NAME, PRODUCT

WHO = PRODUCT, NAME
DOWN, UP = "$thing/down/%s/" + OWNER, "$thing/up/%s/" + OWNER
TEMPLATE = {
    "properties": [
        {"id": "on", "define": {"type": "bool"}},
        {"id": "name", "define": {"type": "string"}},
        {"id": "colour", "define": {"type": "enum"}},
        {"id": "list", "define": {"type": "array"}},
    ],
    "events": [
        {
            "id": "low",
            "type": "alert",
            "params": [{"id": "voltage", "define": {"type": "float"}}],
        }
    ],
    "actions": [
        {
            "id": "light",
            "input": [{"id": "is_on", "define": {"type": "bool"}}],
            "output": [{"id": "err_code", "define": {"type": "int"}}],
        }
    ],
}


def started():
    """A Facade whose hub is a QcloudExplorer with its template; got: (kind, payload) of each."""
    fakes.replace(facades, "QcloudHub", QcloudExplorer)
    board = Facade(fakes.Peer(packets.CONNACK)).connected()
    got = []

    def heard(kind):
        return lambda topic, qos, payload, userdata: got.append((kind, payload))

    board.peer.expect(*(packets.suback(pid) for pid in range(2, 6)))
    callbacks = [heard(kind) for kind in ("property", "action", "event", "service")]
    assert board.hub.templateInit(*(WHO + tuple(callbacks)))[0] == 0
    del board.peer.segments[:]
    return board, got


def published(board):
    """(topic, JSON without its token) of each PUBLISH with QoS 0 since then."""
    found = []
    for packet in packets.split(b"".join(board.peer.segments)):
        _, body = packets.read(io.BytesIO(packet).read)
        size = 2 + (body[0] << 8 | body[1])
        found.append((body[2:size].decode(), json.loads(body[size:].decode())))
    del board.peer.segments[:]
    return found


def test_each_kind_of_message_has_its_callback():
    board, got = started()
    for kind in ("property", "action", "event", "service"):
        board.say(b'{"method":"%s_x"}' % kind.encode(), DOWN % kind)
    assert got == [
        (kind, {"method": kind + "_x"}) for kind in ("property", "action", "event", "service")
    ]


def test_the_order_of_its_arguments_is_the_vendors():
    path = fakes.device_info()
    assert QcloudExplorer(path, False)._device.info.mqtt.secure is False
    assert QcloudExplorer(device_file=path, tls=True)._device.info.mqtt.secure is True


def test_what_a_template_describes():
    board, _ = started()
    hub = board.hub
    path = fakes.write(fakes.folder() + "/template.json", json.dumps(TEMPLATE))
    assert hub.templateSetup(*WHO, path) == 0
    found = [(one.key, one.type, one.data) for one in hub.getPropertyList(*WHO)]
    assert found == [
        ("on", "bool", 0),
        ("name", "string", ""),
        ("colour", "enum", 0),
        ("list", "array", None),
    ]
    (event,) = hub.getEventsList(*WHO)
    assert (event.event_name, event.type, event.eventDataNum) == ("low", "alert", 1)
    assert (event.events_prop[0].key, event.events_prop[0].data) == ("voltage", 0.0)
    (action,) = hub.getActionList(*WHO)
    assert (action.action_id, action.input_num, action.output_num) == ("light", 1, 1)
    assert action.actions_input_prop[0].key == "is_on"
    assert action.actions_output_prop[0].key == "err_code"


def test_a_template_that_cannot_be_read_is_a_line_and_2():
    board, _ = started()
    for text in ("", "{}", "[1]", '{"properties":[{}],"events":[],"actions":[]}'):
        path = fakes.write(fakes.folder() + "/template.json", text)
        assert board.hub.templateSetup(*WHO, path) == 2, text
        assert path in board.words()
    assert board.hub.templateSetup(*WHO, "none.json") == 2
    assert board.hub.templateSetup(*WHO) == 2


def test_what_goes_up():
    board, _ = started()
    hub = board.hub
    assert hub.templateReportSysInfo(*WHO, {"fw_ver": "1"})[0] == 0
    assert hub.templateGetStatus(*WHO)[0] == 0
    report = hub.templateJsonConstructReportArray(*WHO, {"on": 1})
    assert hub.templateReport(*WHO, report)[0] == 0
    found = published(board)
    assert {topic for topic, _ in found} == {UP % "property"}
    assert len({message.pop("clientToken") for _, message in found}) == 3
    assert [message for _, message in found] == [
        {"method": "report_info", "params": {"fw_ver": "1"}},
        {"method": "get_status", "type": "report", "showmeta": 0},
        {"method": "report", "params": {"on": 1}},
    ]


def test_one_event_and_several():
    board, _ = started()
    one = {"eventId": "low", "type": "alert", "timestamp": 5, "params": {"voltage": 2}}
    found = []
    for count in (1, 2):
        board.peer.expect(packets.puback(5 + count))  # behind those of five subscriptions
        assert board.hub.templateEventPost(*WHO, {"events": [one] * count})[0] == 0
        (packet,) = packets.split(b"".join(board.peer.segments))
        del board.peer.segments[:]
        found.append(json.loads(packet[packet.index(b"{") :].decode()))
        found[-1].pop("clientToken")
    assert found == [
        dict(one, method="event_post"),
        {"method": "events_post", "events": [one, one]},
    ]


def test_replies_go_to_what_came():
    board, got = started()
    hub = board.hub
    reply = hub.ReplyPara()
    assert (reply.code, reply.timeout_ms, reply.status_msg) == (-1, 0, None)
    reply.code = 0
    board.say(b'{"method":"report_reply","clientToken":"not-this","code":0}', DOWN % "property")
    board.say(b'{"method":"control","clientToken":"c-1","params":{"on":1}}', DOWN % "property")
    assert hub.templateControlReply(*WHO, reply)[0] == 0
    reply.status_msg = "done"
    assert hub.templateActionReply(*WHO, "a-1", {"err_code": 0}, reply)[0] == 0
    assert hub.clearControl(*WHO)[0] == 0
    assert published(board) == [
        (UP % "property", {"method": "control_reply", "clientToken": "c-1", "code": 0}),
        (
            UP % "action",
            {
                "method": "action_reply",
                "clientToken": "a-1",
                "code": 0,
                "status": "done",
                "response": {"err_code": 0},
            },
        ),
        (UP % "property", {"method": "clear_control", "clientToken": "c-1"}),
    ]
    assert len(got) == 2


def test_a_status_that_was_refused_names_no_control():
    board, _ = started()
    board.say(b'{"method":"get_status_reply","clientToken":"s-1","code":0}', DOWN % "property")
    board.say(b'{"method":"get_status_reply","clientToken":"s-2","code":5}', DOWN % "property")
    assert board.hub.clearControl(*WHO)[0] == 0
    assert published(board)[0][1]["clientToken"] == "s-1"


def test_what_is_no_template_message_ends_nothing():
    board, got = started()
    for message in (b"", b"[]", b"1", b"{}", b"\xff", b'{"method":"control"}', b'{"method":[]}'):
        assert board.say(message, DOWN % "property") is True
    assert board.hub.clearControl(*WHO)[0] == 0
    assert got == [("property", {"method": []})]


def test_its_end():
    board, _ = started()
    board.peer.expect(*(packets.unsuback(pid) for pid in range(6, 10)))
    assert board.hub.templateDeinit(*WHO)[0] == 0
    assert list(board.hub._device.session.callbacks) == [OWNER + "/control"]
