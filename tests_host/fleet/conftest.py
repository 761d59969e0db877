"""Virtual boards with power, a hub, and the real command on them."""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynreg_tools import demo, sources
from dynreg_tools.hub import Hub
from dynreg_tools.testing.board import WIFI
from dynreg_tools.virtualboard import Board
from tests_host.commands import Result, dynreg

ROOT = sources.ROOT
PRODUCT = "FLEETTESTS"


@dataclass
class Bench:
    """A folder with the batch's files and, below boards/, virtual boards that have power."""

    folder: Path
    hub: Hub
    power: ExitStack

    def board(self, name: str, wifi=WIFI, mac=None) -> Board:
        return Board.new(self.folder / "boards" / name, wifi=wifi, ntp=self.hub.ntp, mac=mac)

    def on(self, board: Board, wait=True, **how):
        """The board with power, until the test ends."""
        running = self.power.enter_context(board.power_on(**how))
        if wait:
            running.wait_repl()
        return running

    def configure(self, **changes) -> dict:
        """Writes device_info.json and certs/hub_ca.der for the hub."""
        values = json.loads(demo.batch_file(self.hub, WIFI["bench"])) | changes
        (self.folder / "device_info.json").write_text(json.dumps(values, indent=2))
        (self.folder / "certs").mkdir(exist_ok=True)
        (self.folder / "certs" / "hub_ca.der").write_bytes(self.hub.ca_der.read_bytes())
        return values

    def dynreg(self, *arguments, code=None) -> Result:
        """Runs the command in the bench's folder; no secret may be in what it prints."""
        result = dynreg(*arguments, cwd=self.folder)
        assert "Traceback" not in result.out + result.err, result.err
        self.check_secrets(result.out + result.err)
        if code is not None:
            assert result.code == code, result
        return result

    def check_secrets(self, text: str) -> None:
        for secret in (self.hub.product_secret, WIFI["bench"]):
            assert secret not in text
        for device in self.hub.devices():
            assert not device["psk"] or device["psk"] not in text

    def events(self, kind: str) -> list[str]:
        return [event["device_name"] for event in self.hub.events if event["event"] == kind]


def set_access_points(board, wifi):
    """Other access points around a board that is off."""
    path = board.folder / "board.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"wifi": wifi}))
    return Board(board.folder)


def environment() -> dict[str, str]:
    return os.environ | {"COLUMNS": "80", "DYNREG_VIRTUAL": ""}


@pytest.fixture
def hub_options():
    return {"product_id": PRODUCT}


@pytest.fixture
def bench(tmp_path, hub):
    with ExitStack() as power:
        bench = Bench(tmp_path, hub, power)
        bench.configure()
        yield bench
