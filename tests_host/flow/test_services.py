"""The services on a virtual board against the local hub, asked from the shell."""

import json

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB, services
from tests_host.commands import dynreg

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


@pytest.fixture
def board(virtual_board, tmp_path):
    """A board with all services compiled on it."""
    for names in services().values():
        for name in names:
            target = tmp_path / "service.mpy"
            mpy.compile_file(LIB / name, name, target)
            virtual_board.board.write_file(f"/lib/{name[:-3]}.mpy", target.read_bytes())
    return virtual_board


def test_a_call_from_the_shell(board, hub):
    board.install({"/main.py": PROGRAM})
    running = board.start()
    running.wait_for("ready", 60)
    called = dynreg("hub", "call", "--hub", hub.control, board.name, '{"led":1}', "--json")
    [row] = called.rows
    assert row["payload"] == {"text": 'answer to {"led":1}'}
    called = dynreg("hub", "call", "--hub", hub.control, board.name, "later")
    assert called.out.startswith('"at last"  (')
    hub.kick(board.name)
    hub.wait_for("subscribe", 60, count=7)
    assert hub.services.call(board.name, "x") == b"answer to x"


def test_a_desired_state_is_done_and_reported(board, hub):
    board.install({"/main.py": PROGRAM})
    running = board.start()
    running.wait_for("ready", 60)
    assert hub.services.shadow(board.name).reported == {"boot": 1}
    shown = dynreg("hub", "shadow", "--hub", hub.control, board.name, '{"led":1}')
    assert shown.out.splitlines()[3] == 'delta     {"led": 1}'
    hub.wait_for("shadow", 30, by="device", version=3)
    document = hub.services.shadow(board.name)
    assert (document.reported, document.desired) == ({"boot": 1, "led": 1}, None)
    assert dynreg("hub", "broadcast", "--hub", hub.control, "hi").out == "1 receiver\n"
    running.wait_for("broadcast b'hi'", 30)
    assert "callback for" not in running.output
    board.stop()
    assert json.loads(board.board.read_file("/shadow")[4:]) == {}
    hub.services.desire(board.name, {"led": 2})  # while it is off
    board.start()
    hub.wait_for("shadow", 60, by="device", version=6)
    assert hub.services.shadow(board.name).reported["led"] == 2
