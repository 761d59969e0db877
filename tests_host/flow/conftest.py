"""A board with everything deployed, ready to be powered on; copied, as deploying takes longer."""

import json
import re
from pathlib import Path

import pytest

from dynreg_tools import demo
from dynreg_tools.testing.board import WIFI, VirtualBoard
from dynreg_tools.virtualboard import Board

PRODUCT = "FLOWTESTS0"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> Path:
    """A board's folder with lib/, boot.py and main.py on it, as mpremote left them."""
    folder = tmp_path_factory.mktemp("deployed")
    board = Board.new(folder / "board", wifi=WIFI)
    ca = folder / "none.der"
    ca.write_bytes(b"")
    with board.power_on() as running:
        running.wait_repl()
        demo.deploy(running.port, folder, "{}", ca)
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
