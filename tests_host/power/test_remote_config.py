"""Power lost at every flash write while a remote configuration is kept: the old one or the new."""

import re

import pytest

from dynreg_tools.build import mpy
from dynreg_tools.sources import LIB
from tests_host.power import cuts

MAIN = """
from dynreg.services.config import Config

config = Config(None)
print("HAS", config.value)
config._arrived("", b'{{"type":"push","payload":{{"number":{number}}}}}')
print("DONE", config.value)
"""


@pytest.mark.parametrize("fs", ["littlefs2", "fat"])
def test_every_cut_point(board_with, tmp_path, record_property, fs):
    torn = cuts.IN_TURN if fs == "littlefs2" else "untouched"
    mpy.compile_file(LIB / "dynreg/services/config.py", "config.py", tmp_path / "config.mpy")
    board = board_with(fs, {"/main.py": MAIN.format(number=1)})
    board.write_file("/lib/dynreg/services/config.mpy", (tmp_path / "config.mpy").read_bytes())
    with board.power_on() as running:
        assert not cuts.settle(running, "DONE {'number': 1}")
    board.write_file("/main.py", MAIN.format(number=2))

    def attempt(board, powers):
        for power in powers:
            with board.power_on(**power) as running:
                lost = cuts.settle(running)
        with board.power_on() as running:
            cuts.settle(running)
            said = running.output
        assert re.search(r"HAS \{'number': [12]\}", said), said
        assert "DONE {'number': 2}" in said, said
        return lost

    count = cuts.every_cut(board.folder, tmp_path, attempt, torn)
    record_property("cuts_in", f"a remote configuration, {fs}")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)
    assert count >= 3
