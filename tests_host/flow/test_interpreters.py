"""The whole flow on a board of each other MicroPython that this machine has."""

import json

import pytest

from dynreg_tools import demo
from dynreg_tools.build import interpreters
from dynreg_tools.virtualboard import Board
from tests_host.flow.conftest import report_of

OTHERS = interpreters.available()
WHY_NOT = interpreters.why_not() or "there is none"


@pytest.mark.skipif(not OTHERS, reason=f"no other MicroPython was tried: {WHY_NOT}")
@pytest.mark.parametrize("interpreter", OTHERS, ids=lambda one: one.title)
def test_first_boot_and_second(bench, interpreter):
    settings = bench.board.folder / "board.json"
    changed = json.loads(settings.read_text()) | {"micropython": str(interpreter.path)}
    settings.write_text(json.dumps(changed))
    bench.board = Board(bench.board.folder)
    for registers in (True, False):
        output = bench.boot()
        assert f"MicroPython v{interpreter.release}" in output
        demo.check_steps(output, (*demo.REGISTRATION, *demo.STEPS) if registers else demo.STEPS)
        report = report_of(output)
        assert report["registered"] == registers
        assert report["connected"]
        assert report["clock_set"]
        assert report["error"] is None
