"""A board with everything deployed, ready to be powered on; copied, as deploying takes longer."""

import json
import re
from pathlib import Path

import pytest

from dynreg_tools import demo
from dynreg_tools.testing.board import WIFI as WIFI
from dynreg_tools.testing.board import VirtualBoard, make_image
from dynreg_tools.virtualboard import Board

PRODUCT = "FLOWTESTS0"


@pytest.fixture(scope="session")
def deployed(tmp_path_factory) -> Path:
    """A board's folder with the library compiled, boot.py and main.py on it, as after a deploy."""
    folder = make_image(tmp_path_factory.mktemp("deployed"))
    with Board(folder).power_on() as running:  # which compiles the firmware, for all copies
        running.wait_repl()
    return folder


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
