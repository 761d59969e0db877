"""Power lost at every flash write of a first boot: then hub and board hold the same secret."""

import itertools
import json

import pytest

from dynreg_tools.virtualboard import Board
from tests_host.flow.conftest import PRODUCT, report_of
from tests_host.power import cuts


@pytest.mark.ci
@pytest.mark.parametrize("torn", cuts.STATES)
def test_a_first_boot_cut_at_every_write(bench, tmp_path, record_property, torn):
    numbers = itertools.count(1)
    template, outcomes = bench.board.folder, []

    def attempt(board, powers):
        settings = json.loads((board.folder / "board.json").read_text())
        settings["mac"] = f"24:6f:28:00:00:{next(numbers):02x}"  # one that the hub has not met
        (board.folder / "board.json").write_text(json.dumps(settings))
        bench.board = Board(board.folder)
        said = []
        for power in powers:
            with bench.board.power_on(**power) as running:
                cut = cuts.settle(running, "heartbeat: sent")
                said.append(running.output)
        second = bench.boot()
        outcomes.append(cuts.back_from(second))
        report = report_of(second)
        where = "\n--- next boot:\n".join([*said, second])
        assert report["connected"], where
        assert report["clock_set"], where
        assert not report["error"], where
        assert "Traceback" not in second, where
        (device,) = (d for d in bench.hub.devices() if d["name"] == bench.name)
        assert device["psk"] == bench.info()["key_deviceinfo"]["deviceSecret"], where
        logins = [e for e in bench.hub.events if e["event"] == "login"]
        assert logins[-1]["client_id"] == PRODUCT + bench.name
        return cut

    count = cuts.every_cut(template, tmp_path, attempt, torn)
    record_property("cuts_in", "the whole first boot, littlefs2")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)
    record_property("outcomes", "".join(outcomes[:count]))
    assert count > 5
