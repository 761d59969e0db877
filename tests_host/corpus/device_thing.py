"""The data template: reports with replies, control, actions, events, what the template allows."""

import json

import fakes
import packets
from broker import connected
from dynreg.errors import ConfigError, NetworkError, ProtocolError
from dynreg.services.template import Template
from dynreg.services.thing import Thing

OWN = "ABCDEFGHIJ/dev-01"
TEMPLATE = {
    "version": "1.0",
    "profile": {"ProductId": "ABCDEFGHIJ", "CategoryId": "3"},
    "properties": [
        {"id": "on", "mode": "rw", "define": {"type": "bool", "mapping": {"0": "a", "1": "b"}}},
        {"id": "color", "mode": "rw", "define": {"type": "enum", "mapping": {"0": "R", "2": "B"}}},
        {
            "id": "level",
            "mode": "rw",
            "define": {"type": "int", "min": "0", "max": "100", "start": "1", "step": "1"},
        },
        {"id": "heat", "mode": "r", "define": {"type": "float", "min": "-10.5", "max": "50.0"}},
        {"id": "name", "mode": "rw", "define": {"type": "string", "min": "0", "max": "4"}},
        {"id": "power", "mode": "rw", "define": {"type": "stringenum", "mapping": {"hi": "H"}}},
        {"id": "since", "mode": "rw", "define": {"type": "timestamp"}},
        {
            "id": "at",
            "mode": "rw",
            "define": {
                "type": "struct",
                "specs": [{"id": "x", "dataType": {"type": "int", "min": "-180", "max": "180"}}],
            },
        },
        {
            "id": "list",
            "mode": "rw",
            "define": {"type": "array", "arrayInfo": {"type": "int", "min": "0", "max": "9"}},
        },
    ],
    "events": [
        {
            "id": "low",
            "type": "alert",
            "params": [{"id": "volt", "define": {"type": "float", "min": "0.0", "max": "24.0"}}],
        }
    ],
    "actions": [
        {"id": "blink", "input": [{"id": "times", "define": {"type": "int", "max": "9"}}]}
    ],
}


def sent(segment):
    """(kind, JSON) of a PUBLISH to $thing/up/…."""
    assert segment[0] == 0x30
    at = segment.find(b"$thing/up/")
    topic, _, text = segment[at:].decode().partition("/" + OWN)
    return topic[len("$thing/up/") :], json.loads(text)


def down(kind, message):
    return packets.publish(f"$thing/down/{kind}/{OWN}", json.dumps(message).encode())


class Desk:
    """A Thing on a Bench; answers: what each reply to come holds beside method and token."""

    def __init__(self, *answers, **options):
        self.requests = []
        self.bench = connected()
        kinds = ["property"] + ["action"] * ("action" in options)
        self.bench.peer.expect(*[packets.suback(1 + i) for i in range(len(kinds))])
        self.thing = Thing(self.bench.session, **options)
        for i, kind in enumerate(kinds):
            topic = f"$thing/down/{kind}/{OWN}"
            assert self.bench.peer.segments[i] == packets.subscribe(1 + i, topic)
        del self.bench.peer.segments[:]
        self.bench.peer.expect(*[self.answering(answer) for answer in answers])

    def answering(self, answer):
        def reply(segment):
            kind, message = sent(segment)
            self.requests.append((kind, message))
            if answer is None:
                return None
            method = {"event_post": "event_reply"}.get(message["method"])
            values = {
                "method": method or message["method"] + "_reply",
                "clientToken": message["clientToken"],
                "code": 0,
                "status": "",
            }
            values.update(answer)
            return down(kind, values)

        return reply

    def push(self, kind, message):
        """What the Thing publishes upon a message: (kind, JSON) of each."""
        del self.bench.peer.segments[:]
        self.bench.peer.say(down(kind, message))
        self.bench.session.poll(0)
        return [sent(segment) for segment in self.bench.peer.segments]


def test_a_report_and_its_reply():
    desk = Desk({})
    desk.thing.report({"level": 32, "name": "é"})
    kind, message = desk.requests[0]
    assert kind == "property"
    assert message["method"] == "report"
    assert message["params"] == {"level": 32, "name": "é"}
    assert 0 <= message["timestamp"] - fakes.NOW * 1000 < 60000


def test_a_report_without_a_clock_has_no_time():
    desk = Desk({})
    desk.bench.clock.set_rtc(0)
    desk.thing.report({"level": 32})
    assert "timestamp" not in desk.requests[0][1]


def test_a_refused_report():
    desk = Desk({"code": 406, "status": "check schema fail"})
    error = fakes.raises(ProtocolError, desk.thing.report, {"x": 1}, code="service.refused")
    assert error.cloud_code == "406"
    assert error.cloud_message == "check schema fail"


def test_no_reply():
    desk = Desk(None)
    fakes.raises(NetworkError, desk.thing.report, {"x": 1}, 300, code="network.timeout")


def test_what_the_board_is():
    desk = Desk({})
    desk.thing.report_info({"fw_ver": "1.2", "mac": "00"})
    assert desk.requests[0][1]["method"] == "report_info"
    assert desk.requests[0][1]["params"] == {"fw_ver": "1.2", "mac": "00"}


def test_what_the_cloud_has():
    data = {"report": {"level": 5}, "control": {"level": 6}}
    got = []
    desk = Desk({"data": data}, control=got.append)
    assert desk.thing.read() == data
    assert got == [{"level": 6}]
    kind, message = sent(desk.bench.peer.segments[-1])
    assert (kind, message["method"]) == ("property", "clear_control")


def test_an_event_subscribes_for_its_reply_once():
    desk = Desk()
    desk.bench.peer.expect(packets.suback(2), desk.answering({}), desk.answering({}))
    desk.thing.post("low", {"volt": 2.5}, "alert")
    desk.thing.post("low", {"volt": 2})
    kind, message = desk.requests[0]
    assert kind == "event"
    assert message["eventId"] == "low"
    assert message["type"] == "alert"
    assert message["params"] == {"volt": 2.5}
    assert message["version"] == "1.0"
    assert desk.requests[1][1]["type"] == "info"
    assert len(desk.bench.peer.segments) == 3


CONTROL = {"method": "control", "clientToken": "c-1", "params": {"level": 7}}


def test_control_is_done_and_answered():
    got = []
    desk = Desk(control=got.append)
    reply = {"method": "control_reply", "clientToken": "c-1", "code": 0, "status": ""}
    assert desk.push("property", CONTROL) == [("property", reply)]
    assert got == [{"level": 7}]


def test_control_that_is_not_done():
    desk = Desk(control=lambda params: "stuck")
    [(_, reply)] = desk.push("property", CONTROL)
    assert (reply["code"], reply["status"]) == (1, "stuck")
    [(_, reply)] = Desk().push("property", CONTROL)
    assert reply["code"] == 1


def test_control_may_report_from_within():
    def control(params):
        desk.thing.report(params, ms=0)

    desk = Desk(control=control)
    published = desk.push("property", CONTROL)
    assert [message["method"] for _, message in published] == ["report", "control_reply"]


ACTION = {"method": "action", "clientToken": "a-1", "actionId": "blink", "params": {"times": 3}}


def test_an_action_and_its_response():
    got = []

    def action(name, params):
        got.append((name, params))
        return {"done": 1}

    desk = Desk(action=action)
    [(kind, reply)] = desk.push("action", ACTION)
    assert kind == "action"
    assert reply == {
        "method": "action_reply",
        "clientToken": "a-1",
        "code": 0,
        "status": "",
        "response": {"done": 1},
    }
    assert got == [("blink", {"times": 3})]
    desk = Desk(action=lambda name, params: "busy")
    [(_, reply)] = desk.push("action", ACTION)
    assert (reply["code"], reply["status"]) == (1, "busy")


def test_each_connection_is_read_once():
    got = []
    desk = Desk(
        {"data": {"report": {}, "control": {"level": 1}}}, {"data": {}}, control=got.append
    )
    for _ in range(3):
        desk.thing.sync()
        desk.bench.session.poll(0)
    methods = [sent(segment)[1]["method"] for segment in desk.bench.peer.segments]
    assert methods == ["get_status", "clear_control"]
    assert got == [{"level": 1}]


BAD_PARAMS = (None, [], "x", 7)
HOSTILE = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"\xff",
    b"{",
    b"[" * 3000,
    b'{"method":null}',
    b'{"method":["control"]}',
    b'{"method":"control_reply","code":0}',
)


def test_hostile_messages_end_nothing():
    got = []
    desk = Desk(control=got.append, action=lambda name, params: got.append(params))
    for message in HOSTILE:
        for kind in ("property", "action"):
            desk.bench.peer.say(packets.publish(f"$thing/down/{kind}/{OWN}", message))
            desk.bench.session.poll(0)
    for params in BAD_PARAMS:
        desk.push("property", dict(CONTROL, params=params))
        desk.push("action", dict(ACTION, params=params, actionId=params))
    assert got == []
    assert desk.bench.session.connected is True
    desk.push("property", CONTROL)
    assert got == [{"level": 7}]


GOOD = (
    {"on": 1, "color": 2, "level": 100},
    {"on": True, "heat": -10.5, "name": "abcd"},
    {"heat": 50, "power": "hi", "since": 1700000000},
    {"at": {"x": -180}, "list": [0, 9], "level": 0},
    {},
)
BAD = (
    ({"of": 1}, "of is not in the template"),
    ({"on": 2}, "on is no bool"),
    ({"on": "1"}, "on is no bool"),
    ({"color": 1}, "color is none of its values"),
    ({"color": "0"}, "color is no enum"),
    ({"level": 101}, "level is more than 100"),
    ({"level": -1}, "level is less than 0"),
    ({"level": 1.5}, "level is no int"),
    ({"level": True}, "level is no int"),
    ({"level": None}, "level is no int"),
    ({"heat": 51}, "heat is more than 50.0"),
    ({"heat": "1"}, "heat is no float"),
    ({"name": "abcde"}, "name is more than 4"),
    ({"name": 1}, "name is no string"),
    ({"power": "lo"}, "power is none of its values"),
    ({"since": "now"}, "since is no timestamp"),
    ({"at": {"x": 181}}, "at.x is more than 180"),
    ({"at": {"y": 1}}, "at.y is not in the template"),
    ({"at": 3}, "at. is no object"),
    ({"list": [1, 10]}, "list is more than 9"),
    ({"list": 1}, "list is no array"),
    ([], "what was given is no object"),
)


def test_what_the_template_allows_is_sent():
    for params in GOOD:
        desk = Desk({}, template=Template(TEMPLATE))
        desk.thing.report(params)
        assert desk.requests[0][1]["params"] == params
        fakes.restore()


def test_what_the_template_does_not_allow_is_not():
    desk = Desk(template=Template(TEMPLATE))
    for params, words in BAD:
        error = fakes.raises(ConfigError, desk.thing.report, params, code="argument")
        assert str(error) == "thing: " + words, (str(error), words)
    for event, params in (("high", {}), ("low", {"volt": 25}), ("low", {"x": 1})):
        fakes.raises(ConfigError, desk.thing.post, event, params, code="argument")
    assert desk.bench.peer.segments == []


def test_what_the_template_does_not_allow_is_not_taken():
    got = []
    template = Template(TEMPLATE)
    desk = Desk(control=got.append, action=lambda *args: got.append(args), template=template)
    for params in ({"level": 101}, {"heat": 20}, {"x": 1}, None):
        [(_, reply)] = desk.push("property", dict(CONTROL, params=params))
        assert reply["code"] == 406, params
    for name, params in (("blink", {"times": 10}), ("jump", {}), ("blink", None), (None, {})):
        [(_, reply)] = desk.push("action", dict(ACTION, actionId=name, params=params))
        assert reply["code"] == 406, name
    assert got == []
    desk.push("property", CONTROL)
    desk.push("action", ACTION)
    assert got == [{"level": 7}, ("blink", {"times": 3})]


def test_a_template_is_a_file_as_the_console_exports_it():
    path = fakes.write(fakes.folder() + "/template.json", json.dumps(TEMPLATE))
    assert Template(path).fault("properties", None, {"level": 1}) == ""


def test_what_is_no_template():
    for text in ("", "[]", "{", '{"properties":1}', '{"properties":[{"id":"a"}]}', "{}"):
        path = fakes.write(fakes.folder() + "/template.json", text)
        fakes.raises(ConfigError, Template, path, code="argument")
    fakes.raises(ConfigError, Template, "/no/such/file", code="argument")
    fakes.raises(ConfigError, Template, None, code="argument")
