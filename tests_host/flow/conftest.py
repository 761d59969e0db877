"""A board with everything deployed, ready to be powered on; copied, as deploying takes longer."""

import json
import re
import shutil
from pathlib import Path

import pytest

from dynreg_tools import demo, sources
from dynreg_tools.build import mpy
from dynreg_tools.testing.board import WIFI, VirtualBoard
from dynreg_tools.virtualboard import Board, image

PRODUCT = "FLOWTESTS0"


def put(board: Board, folder: Path, at: str = "/") -> None:
    """Writes all files below folder onto a board that is off, in one start of MicroPython."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    steps = [["write", at + path.relative_to(folder).as_posix(), str(path)] for path in files]
    image.run_steps(*board._offline(), steps)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> Path:
    """A board's folder with the library compiled, boot.py and main.py on it, as after a deploy.

    What the demo and the package's test copy with mpremote is put there without it.
    """
    folder = tmp_path_factory.mktemp("deployed")
    board = Board.new(folder / "board", wifi=WIFI)
    mpy.compile_tree(sources.LIB, folder / "files" / "lib")
    for name in ("boot.py", "main.py"):
        shutil.copy(sources.ROOT / name, folder / "files")
    put(board, folder / "files")
    with board.power_on() as running:  # which compiles the firmware, for all copies
        running.wait_repl()
    return folder / "board"


@pytest.fixture
def board_image(deployed) -> Path:
    return deployed


@pytest.fixture
def hub_options():
    return {"product_id": PRODUCT}


@pytest.fixture
def bench(virtual_board) -> VirtualBoard:
    """The board and its hub; boot() powers on and returns what it printed."""
    return virtual_board


LATER = re.compile(r"\[([a-z.0-9]+)\]; again in (\d{3,}) s\r?\n")


def put_off(output: str) -> str:
    """The code of the one error that is tried again in 15 to 60 minutes."""
    ((code, seconds),) = LATER.findall(output)
    assert 900 <= int(seconds) <= 3600
    return code


def report_of(output: str) -> dict:
    return json.loads(demo.REPORT.findall(output)[-1])
