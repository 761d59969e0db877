"""A board with everything deployed, ready to be powered on; copied, as deploying takes longer."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynreg_tools import demo
from dynreg_tools.hub import Hub
from dynreg_tools.virtualboard import Board

PRODUCT = "FLOWTESTS0"
WIFI = {"bench": "a wifi password"}


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
def hub(request, tmp_path):
    """The hub; @pytest.mark.parametrize("hub", [options], indirect=True) gives it more options."""
    options = {"product_id": PRODUCT, "register_type": 2, "cert_key": "ec"}
    options.update(getattr(request, "param", {}))
    with Hub(data=tmp_path / "hub", **options) as hub:
        yield hub


@dataclass
class Bench:
    """One board and its hub; boot() powers on and returns the board's output."""

    board: Board
    hub: Hub

    @property
    def name(self) -> str:
        return "esp32-" + self.board.unique_id.hex()

    def configure(self, **changes):
        """Writes device_info.json for the hub; a change to None takes the key away."""
        values = json.loads(demo.batch_file(self.hub, WIFI["bench"]))
        values["auth_mode"] = self.hub.auth_mode.upper()
        values.update(changes)
        values = {key: value for key, value in values.items() if value is not None}
        self.board.write_file("/device_info.json", json.dumps(values, indent=2))
        return values

    def info(self) -> dict:
        return json.loads(self.board.read_file("/device_info.json"))

    def boot(self, until=demo.SETTLED, timeout=30) -> str:
        """Power on, until the application runs or the prompt stands; then Ctrl-C and off."""
        with self.board.power_on() as running:
            running.wait_for(until, timeout)
            running.write("\x03")
            running.wait_repl()
            output = running.output
        self.check_secrets(output)
        return output

    def check_secrets(self, output):
        """Fails where output holds one: of the console, of the hub, of a file in /certs."""
        for secret in (self.hub.product_secret, WIFI["bench"]):
            assert secret not in output
        for device in self.hub.devices():
            assert not device["psk"] or device["psk"] not in output
        for name in self.board.listdir("/certs"):
            text = self.board.read_file("/certs/" + name)
            if b"PRIVATE KEY-----" in text:
                lines = [line for line in text.decode().splitlines() if line[:5] != "-----"]
                assert lines
                for line in lines:  # however the line ends are printed
                    assert line not in output


LATER = re.compile(r"\[([a-z.0-9]+)\]; again in (\d{3,}) s\r?\n")


def put_off(output: str) -> str:
    """The code of the one error that is tried again in 15 to 60 minutes."""
    ((code, seconds),) = LATER.findall(output)
    assert 900 <= int(seconds) <= 3600
    return code


def report_of(output: str) -> dict:
    return json.loads(demo.REPORT.findall(output)[-1])


@pytest.fixture
def bench(tmp_path, deployed, hub) -> Bench:
    shutil.copytree(deployed, tmp_path / "board")
    board = Board(tmp_path / "board")
    settings = tmp_path / "board" / "board.json"
    values = json.loads(settings.read_text())
    values["ntp"] = list(hub.ntp)
    settings.write_text(json.dumps(values))
    board = Board(tmp_path / "board")
    board.write_file("/certs/hub_ca.der", hub.ca_der.read_bytes())
    bench = Bench(board, hub)
    bench.configure()
    return bench
