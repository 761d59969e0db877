"""What the cloud sends to services: calls, shadows, the data template; good and bad."""

import brokers
import fakes
import jsontext
import packets
from dynreg.services import broadcast, rrpc
from dynreg.services.shadow import Shadow
from dynreg.services.template import Template
from dynreg.services.thing import Thing
from judge import capture_log, expect, finish, logged, tried
from mutations import mutated

_OWN = "/ABCDEFGHIJ/dev-01"
_STATE = b'{"reported":{"a":1},"desired":{"a":2},"delta":{"a":2}}'
_PAYLOAD = jsontext.obj([(b'"state"', _STATE), (b'"version"', b"3"), (b'"timestamp"', b"1")])
# (topic, the members of a good message); TOKEN stands for that of the request before.
_TOKEN = b'"TOKEN"'
_GOOD = (
    ("$rrpc/rxd" + _OWN + "/17", ((b"led", b"1"),)),
    ("$broadcast/rxd" + _OWN, ((b"led", b"1"),)),
    (
        "$shadow/operation/result" + _OWN,
        ((b"type", b'"delta"'), (b"payload", b'{"state":{"a":1},"version":7}')),
    ),
    (
        "$shadow/operation/result" + _OWN,
        (
            (b"type", b'"get"'),
            (b"clientToken", _TOKEN),
            (b"result", b"0"),
            (b"payload", _PAYLOAD),
        ),
    ),
    (
        "$thing/down/property" + _OWN,
        ((b"method", b'"control"'), (b"clientToken", b'"c"'), (b"params", b'{"level":7}')),
    ),
    (
        "$thing/down/property" + _OWN,
        (
            (b"method", b'"get_status_reply"'),
            (b"clientToken", _TOKEN),
            (b"code", b"0"),
            (b"data", b'{"report":{"level":1},"control":{"level":2}}'),
        ),
    ),
    (
        "$thing/down/action" + _OWN,
        (
            (b"method", b'"action"'),
            (b"clientToken", b'"a"'),
            (b"actionId", b'"blink"'),
            (b"params", b'{"times":3}'),
        ),
    ),
)
_TEMPLATE = {
    "properties": [
        {"id": "level", "mode": "rw", "define": {"type": "int", "min": "0", "max": "100"}},
        {"id": "on", "mode": "r", "define": {"type": "bool"}},
        {"id": "heat", "mode": "rw", "define": {"type": "float", "max": "9.5"}},
        {"id": "name", "mode": "rw", "define": {"type": "string", "max": "4"}},
        {"id": "color", "mode": "rw", "define": {"type": "enum", "mapping": {"0": "R"}}},
        {"id": "list", "mode": "rw", "define": {"type": "array", "arrayInfo": {"type": "int"}}},
        {
            "id": "at",
            "mode": "rw",
            "define": {"type": "struct", "specs": [{"id": "x", "dataType": {"type": "int"}}]},
        },
    ],
    "actions": [{"id": "blink", "input": [{"id": "times", "define": {"type": "int"}}]}],
}
# What no message may make of a service: these are faults of ours, logged by the session.
_OURS = ("TypeError", "AttributeError", "KeyError", "IndexError", "NameError")
_MOST_MS = 60000


def some_messages(source):
    """(topic, message) of up to twelve messages, and whether the Thing has a template."""
    found = []
    for _ in range(1 + source.below(12)):
        topic, members = source.one_of(_GOOD)
        message = jsontext.changed(source, members)
        if source.chance(4):
            message = mutated(source, message)
        if source.chance(8):
            message = jsontext.value(source)
        found.append((topic, message))
    return found, source.chance(2)


def run_services(case):
    """The services of a session get these messages; whatever they are, it goes on."""
    messages, with_template = case
    capture_log()
    clock = fakes.Clock()
    broker = brokers.Broker(())
    net = fakes.network(clock, broker)
    session = brokers.new_session()
    _, error = tried(session.connect)
    expect(not error, "a good broker is not taken")

    def is_dict(value):
        expect(isinstance(value, dict), "a handler got what is no dict")

    def control(params):
        is_dict(params)
        tried(thing.report, params, 0)

    def action(name, params):
        is_dict(params)
        return params

    rrpc.serve(session, lambda call: call.message)
    broadcast.listen(session, len)
    shadow = Shadow(session, lambda delta, version: is_dict(delta))
    thing = Thing(session, control, action, Template(_TEMPLATE) if with_template else None)
    for topic, message in messages:
        shadow.sync()
        thing.sync()
        asked = thing if topic.startswith("$thing") else shadow
        token = asked._first + str(asked._number)
        broker.say(packets.publish(topic, message.replace(b"TOKEN", token.encode())[:16384]))
        tried(session.poll, 6000)
        expect(session.connected, "a message has ended the connection")
        is_dict(shadow.desired)
    tried(thing.read, 100)  # nobody replies
    for name in _OURS:
        expect(not logged(name), "a service trips over a message: " + name)
    session.disconnect()
    finish(net, clock, len(messages) * 7000 + _MOST_MS)
