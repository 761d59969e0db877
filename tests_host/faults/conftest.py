"""A rig: one hub, one virtual board that runs probe.py, with a clock that skips every wait."""

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dynreg_tools import demo
from dynreg_tools.hub import Hub
from dynreg_tools.virtualboard import Board, Running
from tests_host.flow.conftest import WIFI, deployed  # noqa: F401 - a fixture

PRODUCT = "FAULTTESTS"
ANSWER_S = 20  # of real time: nothing may hang
_PROBE = Path(__file__).parent / "probe.py"
_STEP = re.compile(r"step: (\{.*\})\r?\n")
_SOCKETS = 2  # the virtual board's own channel, and the session


@dataclass
class Rig:
    """A hub and a running board."""

    hub: Hub
    board: Board
    running: Running

    def step(self, name: str) -> dict:
        """Has the board do a step of probe.py; its report."""
        self.running.write(f"step({name!r})\r")
        return json.loads(self.running.wait_for(_STEP, ANSWER_S)[1])

    def triggered(self, name: str) -> int:
        """How often a fault was triggered, by the hub's own count."""
        return sum(e["event"] == "fault" and e["name"] == name for e in self.hub.events)

    def sockets(self) -> int:
        """How many sockets the board's process has open; the right number off Linux."""
        if sys.platform != "linux":
            return _SOCKETS
        folder = f"/proc/{self.running.pid}/fd"
        links = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
        return sum(link.startswith("socket:") for link in links)

    def check_recovered(self) -> None:
        """The same board, without a reset, does the whole flow; nothing is left open."""
        starts = self.running.starts
        report = self.step("flow")
        assert report["code"] is None, report
        assert report["connected"], report
        topic = f"{PRODUCT}/esp32-{self.board.unique_id.hex()}/control"
        assert self.hub.publish(topic, "still there?") == 1
        assert self.step("receive")["messages"][-1] == "still there?"
        (device,) = self.hub.devices()
        assert device["activated"]
        assert self.running.starts == starts == 1
        assert self.sockets() == _SOCKETS
        secrets = (self.hub.product_secret, device["psk"], WIFI["bench"])
        assert not [secret for secret in secrets if secret in self.running.output]


@pytest.fixture
def rig(request, tmp_path, deployed):  # noqa: F811
    """Give it a rows.Row by indirect parametrization, or options in a dict."""
    row = request.param
    hub = Hub(product_id=PRODUCT, cert_key="ec", strict=True, **{"psk": False, **row.hub})
    with hub:
        shutil.copytree(deployed, tmp_path / "board")
        settings = tmp_path / "board" / "board.json"
        values = json.loads(settings.read_text())
        values.update(ntp=list(hub.ntp), dns=list(hub.dns))
        settings.write_text(json.dumps(values))
        board = Board(tmp_path / "board")
        info = json.loads(demo.batch_file(hub, WIFI["bench"]))
        host = "hub.test" if row.by_name else "localhost"
        scheme = ("http", "mqtt") if row.plain else ("https", "mqtts")
        for key, name in zip(("gateway", "mqtt"), scheme, strict=True):
            info["endpoint"][key] = f"{name}://{host}:{hub.ports[name]}"
        board.write_files(
            {
                "/device_info.json": json.dumps(info),
                "/certs/hub_ca.der": hub.ca_der.read_bytes(),
                "/main.py": _PROBE.read_bytes(),
            }
        )
        with board.power_on(fast_forward=row.fast) as running:
            running.wait_repl()
            yield Rig(hub, board, running)
