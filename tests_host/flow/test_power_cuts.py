"""Power lost at every flash write of a first boot: then hub and board hold the same secret."""

import json
import shutil

import pytest

from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.board import TORN
from tests_host.flow.conftest import PRODUCT, report_of


@pytest.mark.parametrize("torn", TORN)
def test_a_first_boot_cut_at_every_write(bench, tmp_path, record_property, torn):
    template = bench.board.folder
    number = 0
    cut = True
    while cut:
        number += 1
        folder = tmp_path / "cut"
        shutil.copytree(template, folder)
        settings = json.loads((folder / "board.json").read_text())
        settings["mac"] = f"24:6f:28:00:00:{number:02x}"  # a device that the hub has not met
        (folder / "board.json").write_text(json.dumps(settings))
        bench.board = Board(folder)
        with bench.board.power_on(power_cut=number, torn=torn) as running:
            while not running.power_lost and "heartbeat: sent" not in running.output:
                running.wait_change(10)
            cut = running.power_lost
            first = running.output
        second = bench.boot()
        report = report_of(second)
        where = f"cut {number}:\n{first}\n--- next boot:\n{second}"
        assert report["connected"], where
        assert report["clock_set"], where
        assert not report["error"], where
        assert "Traceback" not in second, where
        (device,) = (d for d in bench.hub.devices() if d["name"] == bench.name)
        assert device["psk"] == bench.info()["key_deviceinfo"]["deviceSecret"], where
        logins = [e for e in bench.hub.events if e["event"] == "login"]
        assert logins[-1]["client_id"] == PRODUCT + bench.name
        shutil.rmtree(folder)
    record_property("cuts_in", "the whole first boot, littlefs2")
    record_property("cut_points", number - 1)
    record_property("file_system_lost", 0)
    assert number > 5
