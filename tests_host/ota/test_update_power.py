"""Power lost at every flash write from an update's first byte to its confirmation; a rollback too.

After each cut the board starts the old program or the new one, whole, and what the cloud believes
in the end is true.
"""

import re
import time

import pytest

from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.board import TORN
from tests_host.power import cuts

# Each cut point in one state of the torn block; `./dev test` tries some of them.
STATES = [
    pytest.param(cuts.IN_TURN, 13, id="some"),
    *(pytest.param(state, 1, marks=pytest.mark.slow) for state in (cuts.IN_TURN, *TORN)),
]


def ended(ota):
    """Waits until the update has ended at the hub."""
    deadline = time.monotonic() + 40
    while (row := ota.row())["state"] not in ("done", "fail"):
        assert time.monotonic() < deadline, row
        time.sleep(0.02)


def cut(ota, tmp_path, bundle, ends, torn, step):
    """How many cuts; ends: (version that runs, state, code) of the cloud in the end."""
    version, state, code = ends

    def attempt(board, powers):
        ota.offer(bundle)
        ota.board.board = Board(board.folder)
        said = []
        for power in powers:
            with ota.board.power_on(**power) as running:
                lost = cuts.settle(running, f"TOLD {code}\r\n")
                said.append(running.output)
        with ota.board.power_on() as running:
            ended(ota)
            running.reset()
            running.wait_for(f"STANDS {version} False False None", 40)
            said.append(running.output)
        row = ota.row()
        where = "\n--- next power-on:\n".join(said)
        started = re.findall(r"PROGRAM (\S+)", where)
        assert set(started) <= {"1.0", "1.1"}, where
        assert started[-1] == version, where
        assert "ImportError" not in where, where
        assert row["reported"] == version, where
        assert (row["state"], row["code"]) == (state, code), where
        return lost

    ota.board.fast_forward = 20
    return cuts.every_cut(ota.board.board.folder, tmp_path, attempt, torn, step=step)


def keep(record_property, what, count):
    record_property("cuts_in", f"{what}, littlefs2")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)


@pytest.mark.ci
@pytest.mark.parametrize(("torn", "step"), STATES)
def test_an_update_cut_at_every_write(ota, tmp_path, record_property, torn, step):
    count = cut(ota, tmp_path, ota.program("1.1"), ("1.1", "done", 0), torn, step)
    keep(record_property, "an update over the air", count)
    assert count * step > 40


@pytest.mark.ci
@pytest.mark.parametrize(("torn", "step"), STATES[:2])
def test_a_rollback_cut_at_every_write(ota, tmp_path, record_property, torn, step):
    bad = ota.program("1.1", confirm="raise ValueError('out of order')")
    count = cut(ota, tmp_path, bad, ("1.0", "fail", -5), torn, step * 3)
    keep(record_property, "an update that is rolled back", count)
    assert count * step > 40
