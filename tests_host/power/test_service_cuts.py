"""Power lost at every flash write of what a service keeps: the old state or the new one, whole."""

import re

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB, services
from tests_host.power import cuts

# Keeps {"n": 1}, and at each boot after that the next number, as the cloud's deltas would have it.
SHADOW = """
import json
from dynreg.services.shadow import Shadow


class Session:
    inbox = []

    class info:
        owner = "POWERTESTS/x"

    def subscribe(self, topic, callback):
        self.callback = callback


session = Session()
shadow = Shadow(session, None, "/shadow")
before = shadow.desired.get("n", 0)
print("KEPT", before)
payload = {"state": {"n": before + 1}, "version": 1}
session.callback("", json.dumps({"type": "delta", "payload": payload}))
print("KEPT", shadow.desired["n"])
print("DONE")
"""
KEPT = re.compile(r"KEPT (\d+)")


def run(board, **power):
    """(what KEPT said on one power-on, was the power lost?)."""
    with board.power_on(**power) as running:
        lost = cuts.settle(running)
        assert "damaged" not in running.output
        assert lost or "DONE" in running.output, running.output
        return [int(number) for number in KEPT.findall(running.output)], lost


@pytest.mark.parametrize("torn", cuts.STATES)
def test_a_shadow_in_flash(board_with, tmp_path, torn):
    board = board_with("littlefs2", {"/main.py": SHADOW})
    for name in services()["shadow"]:
        target = tmp_path / "service.mpy"
        mpy.compile_file(LIB / name, name, target)
        board.write_file(f"/lib/{name[:-3]}.mpy", target.read_bytes())
    assert run(board) == ([0, 1], False)

    def attempt(board, powers):
        lost = False
        for power in powers:
            _, lost = run(board, **power)
        [before, after], _ = run(board)
        assert before in (1, 2)
        assert after == before + 1
        return lost

    assert cuts.every_cut(board.folder, tmp_path, attempt, torn) >= 3
