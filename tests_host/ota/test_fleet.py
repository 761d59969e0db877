"""A fleet takes an update while boards and hub lose their power and their lines at random.

Seeded, but for how fast a machine is; FLEET_SEED is another seed.
"""

import os
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests_host.ota import fleet
from tests_host.ota.conftest import PRODUCT, program

SEED = os.environ.get("FLEET_SEED", "1")
# More starts than a board has power cuts, each of which is one start of a trial.
BOOTS = fleet.MOST_CUTS + 2
GOOD, BAD = (fleet.VERSION, "done", 0), ("1.0", "fail", -5)
_PAUSE_S = (0.05, 1.0)  # between two things that happen to the hub
_MOST_EVENTS = 300


def files(folder):
    """The files that boards are offered, and what is to come of each."""
    good = program(folder / "good", fleet.VERSION, pages=5, boots=BOOTS).data
    raises = "raise ValueError('out of order')"
    crashes = program(folder / "bad", fleet.VERSION, pages=5, confirm=raises, boots=BOOTS).data
    middle = len(good) // 2
    damaged = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
    return [(good, GOOD), (good, GOOD), (crashes, BAD), (good, GOOD), (damaged, BAD)]


@pytest.mark.ci
@pytest.mark.parametrize(
    ("boards", "outages"), [(3, 2), pytest.param(20, 8, marks=pytest.mark.slow)]
)
def test_every_board_ends_on_the_new_version_or_a_bad_ones_on_the_old(
    ota_image, tmp_path, boards, outages
):
    kinds = files(tmp_path)
    updates = [kinds[number % len(kinds)] for number in range(boards)]
    members, base = fleet.members(ota_image, tmp_path, PRODUCT, updates, SEED)
    chance = random.Random(SEED)
    names = [member.board.name for member in members]
    with (
        fleet.Cloud(tmp_path / "hub", PRODUCT, base) as cloud,
        ThreadPoolExecutor(boards) as pool,
    ):
        lives = [pool.submit(member.live, cloud.row) for member in members]
        for _ in range(_MOST_EVENTS):
            if all(life.done() for life in lives):
                break
            time.sleep(chance.uniform(*_PAUSE_S))
            if cloud.outages < outages and (not cloud.outages or chance.random() < 0.25):
                cloud.lose_power()
            else:
                cloud.kick(chance.sample(names, boards))
        for life in lives:
            life.result()
        for member in members:
            row = cloud.row(member.board.name)
            said = "\n--- next power-on:\n".join(member.said)
            told = (row["reported"], row["state"], row["code"])
            assert told == member.expected, said
            started = re.findall(r"PROGRAM (\S+)", said)
            assert set(started) <= {"1.0", fleet.VERSION}, said
            assert started[-1] == member.expected[0], said
            assert "ImportError" not in said, said
    assert sum(member.cuts for member in members) > 0
    assert cloud.outages > 0
