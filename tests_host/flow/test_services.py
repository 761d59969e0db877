"""The services on a virtual board against the local hub, asked from the shell."""

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB, services
from tests_host.commands import dynreg

PROGRAM = """
from dynreg import Device
from dynreg.services import rrpc

waiting = []


def called(call):
    if call.message != b"later":
        return b"answer to " + call.message
    waiting.append(call)


session = Device().connect(attempts=0)
rrpc.serve(session, called)
print("ready")
while True:
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
    hub.wait_for("subscribe", 60, count=3)
    assert hub.services.call(board.name, "x") == b"answer to x"
