"""The services on a virtual board against the local hub, asked from the shell."""

import json

from tests_host.commands import dynreg

THING = """
from dynreg import Device, DynregError
from dynreg.services.template import Template
from dynreg.services.thing import Thing


def control(params):
    thing.report(params, ms=0)


def act(name, params):
    return {"seen": params["times"]} if name == "blink" else "cannot " + name


session = Device().connect(attempts=0)
thing = Thing(session, control, act, Template("/template.json"))
thing.report({"level": 5})
thing.post("low", {"volt": 2.5}, "alert")
thing.report_info({"fw_ver": "1.2"})
found = thing.read()
print("read", found["report"], found["control"])
try:
    thing.report({"level": 500})
except DynregError as error:
    print(error.code, error)
print("ready")
while True:
    thing.sync()
    session.poll(100)
"""
TEMPLATE = {
    "properties": [{"id": "level", "mode": "rw", "define": {"type": "int", "max": "100"}}],
    "events": [{"id": "low", "params": [{"id": "volt", "define": {"type": "float"}}]}],
    "actions": [
        {"id": "blink", "input": [{"id": "times", "define": {"type": "int"}}]},
        {"id": "fly", "input": []},
    ],
}
PROGRAM = """
from dynreg import Device
from dynreg.services import broadcast, rrpc
from dynreg.services.shadow import Shadow

waiting = []


def called(call):
    if call.message != b"later":
        return b"answer to " + call.message
    waiting.append(call)


def changed(delta, version):
    shadow.report(delta, clear=True, ms=0)


session = Device().connect(attempts=0)
rrpc.serve(session, called)
broadcast.listen(session, lambda message: print("broadcast", message))
shadow = Shadow(session, changed, "/shadow")
shadow.report({"boot": 1})
print("ready")
while True:
    shadow.sync()
    session.poll(100)
    if waiting:
        waiting.pop().answer("at last")
"""


def test_a_call_from_the_shell(virtual_board, hub):
    virtual_board.install({"/main.py": PROGRAM})
    running = virtual_board.start()
    running.wait_for("ready", 60)
    called = dynreg("hub", "call", "--hub", hub.control, virtual_board.name, '{"led":1}', "--json")
    [row] = called.rows
    assert row["payload"] == {"text": 'answer to {"led":1}'}
    called = dynreg("hub", "call", "--hub", hub.control, virtual_board.name, "later")
    assert called.out.startswith('"at last"  (')
    hub.kick(virtual_board.name)
    hub.wait_for("subscribe", 60, count=7)
    assert hub.services.call(virtual_board.name, "x") == b"answer to x"


def test_a_desired_state_is_done_and_reported(virtual_board, hub):
    virtual_board.install({"/main.py": PROGRAM})
    running = virtual_board.start()
    running.wait_for("ready", 60)
    assert hub.services.shadow(virtual_board.name).reported == {"boot": 1}
    shown = dynreg("hub", "shadow", "--hub", hub.control, virtual_board.name, '{"led":1}')
    assert shown.out.splitlines()[3] == 'delta     {"led": 1}'
    hub.wait_for("shadow", 30, by="device", version=3)
    document = hub.services.shadow(virtual_board.name)
    assert (document.reported, document.desired) == ({"boot": 1, "led": 1}, None)
    assert dynreg("hub", "broadcast", "--hub", hub.control, "hi").out == "1 receiver\n"
    running.wait_for("broadcast b'hi'", 30)
    assert "callback for" not in running.output
    virtual_board.stop()
    assert json.loads(virtual_board.board.read_file("/shadow")[4:]) == {}
    hub.services.desire(virtual_board.name, {"led": 2})  # while it is off
    virtual_board.start()
    hub.wait_for("shadow", 60, by="device", version=6)
    assert hub.services.shadow(virtual_board.name).reported["led"] == 2


def test_the_data_template(virtual_board, hub):
    virtual_board.install({"/main.py": THING, "/template.json": json.dumps(TEMPLATE)})
    hub.add_device(virtual_board.name)
    hub.services.control(virtual_board.name, {"level": 9})  # before it has ever been on
    running = virtual_board.start()
    running.wait_for("ready", 60)
    assert "read {'level': 5} {'level': 9}" in running.output
    assert "argument thing: level is more than 100" in running.output
    hub.wait_for("thing", method="report", count=2)
    thing = hub.services.thing(virtual_board.name)
    assert thing.reported == {"level": 9}
    assert thing.info == {"fw_ver": "1.2"}

    def command(*arguments):
        return dynreg("hub", *arguments, "--hub", hub.control)

    assert command("thing", virtual_board.name, '{"level":7}').out == "done\n"
    refused = command("thing", virtual_board.name, '{"level":101}')
    assert refused.out == "refused: 406 level is more than 100\n"
    assert refused.code == 1
    done = command("action", virtual_board.name, "blink", '{"times":3}')
    assert done.out == 'done: {"seen": 3}\n'
    assert command("action", virtual_board.name, "fly").out == "refused: 1 cannot fly\n"
    shown = command("thing", virtual_board.name).out.splitlines()
    assert shown[0] == 'reported  {"level": 7}'
    assert shown[1] == 'control   {"level": 101}'
