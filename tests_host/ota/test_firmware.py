"""Firmware images on a board with two OTA slots (a stand-in: docs/hardware.md)."""

import json
import os

import pytest

from dynreg_tools.bundles import pack
from dynreg_tools.virtualboard import Board
from tests_host.ota.conftest import MAIN
from tests_host.power import cuts

IMAGE = b"\xe9" + os.urandom(40_000)  # what is in it is never run
# The program is the same in every image; it knows by its slot which one it is.
FIRMWARE = MAIN.replace(
    "from dynreg.services import ota", "from dynreg.services import firmware as ota"
)
RUNS = """
from esp32 import Partition
print("SLOT", Partition(Partition.RUNNING).info()[4])
"""


@pytest.fixture
def slots(ota):
    """The board with two slots, and a program that confirms itself in any of them."""
    settings = ota.board.board.folder / "board.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"slots": True}))
    use(ota, RUNS + FIRMWARE.replace("{confirm}", "updater.confirm()"))
    return ota


def use(ota, main):
    """This program, in the first slot of programs."""
    ota.board.board = Board(ota.board.board.folder)
    bundle = ota.program("1.0", main)
    ota.board.board.write_files({f"/{n}": data for n, data in pack.factory(bundle).items()})


def offer(ota, data=IMAGE, version="2.0"):
    return ota.hub.services.update(ota.name, version, data, "http")


def test_an_image_goes_into_the_other_slot_and_is_confirmed(slots):
    with slots.board.power_on() as running:
        running.wait_for("SLOT ota_0", 15)
        running.wait_for("STANDS 1.0 False False None", 15)
        offer(slots)
        running.wait_for("SLOT ota_1", 30)
        running.wait_for("STANDS 2.0 False False None", 30)
        running.reset()
        running.wait_for("SLOT ota_1", 15)
        running.wait_for("STANDS 2.0 False False None", 15)
    assert slots.told() == [("2.0", "burning", 0), ("2.0", "done", 0)]
    assert (slots.board.board.folder / "ota_1.bin").read_bytes()[: len(IMAGE)] == IMAGE
    assert slots.row()["reported"] == "2.0"


def test_an_image_that_does_not_confirm_itself_is_given_up_after_three_starts(slots):
    bad = "import esp32\nif esp32.Partition(1).info()[4] == 'ota_1':\n    import machine\n"
    use(slots, RUNS + bad + "    machine.reset()\n" + FIRMWARE)
    with slots.board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 15)
        offer(slots)
        slots.hub.wait_for("update", 40, state="fail")
        running.reset()
        running.wait_for("SLOT ota_0", 15)
        running.wait_for("STANDS 1.0 False False None", 15)
        assert running.output.count("SLOT ota_1") == 3
    row = slots.row()
    assert (row["code"], row["reported"]) == (-5, "1.0")
    assert "3 starts" in row["message"]


@pytest.mark.slow
def test_one_that_runs_and_never_confirms_goes_after_its_time(slots):
    use(slots, RUNS + FIRMWARE.replace("{confirm}", ""))
    slots.board.fast_forward = 50
    with slots.board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 15)
        offer(slots)
        running.wait_for("SLOT ota_1", 30)
        running.wait_for("SLOT ota_0", 60)


def test_a_board_without_slots_says_so(ota):
    use(ota, FIRMWARE)
    with ota.board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 15)
        offer(ota)
        ota.hub.wait_for("update", 15, state="fail")
    assert ota.row()["message"] == "this firmware has no slot for such an image"


def test_an_image_that_is_too_large_and_one_with_another_hash(slots):
    with slots.board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 15)
        offer(slots, b"\xe9" + bytes(0x180000))
        slots.hub.wait_for("update", 15, state="fail", code=-5)
        slots.hub.fault("ota-corrupt")
        offer(slots, version="2.1")
        slots.hub.wait_for("update", 15, state="fail", code=-4)


def test_it_takes_bundles_as_well(slots):
    with slots.board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 15)
        slots.offer(slots.program("1.1"))
        running.wait_for("PROGRAM 1.1", 15)
        running.wait_for("STANDS 1.1 False False None", 15)
    assert slots.told()[-1] == ("1.1", "done", 0)


STATES = [
    pytest.param(11, id="some"),
    pytest.param(1, marks=pytest.mark.slow),
]


@pytest.mark.ci
@pytest.mark.parametrize("step", STATES)
def test_an_image_cut_at_every_write(slots, tmp_path, record_property, step):
    def attempt(board, powers):
        for name in ("ota_0.bin", "ota_1.bin", "otadata.json"):
            (board.folder / name).unlink(missing_ok=True)
        offer(slots)
        slots.board.board = Board(board.folder)
        said = []
        for power in powers:
            with slots.board.power_on(**power) as running:
                lost = cuts.settle(running, "TOLD 0\r\n")
                said.append(running.output)
        with slots.board.power_on() as running:
            running.wait_for("STANDS 2.0 False False None", 40)
            said.append(running.output)
        where = "\n--- next power-on:\n".join(said)
        row = slots.hub.services.updates()[slots.name]
        assert (row["state"], row["reported"]) == ("done", "2.0"), where
        assert "Traceback" not in where, where
        return lost

    slots.board.fast_forward = 20
    count = cuts.every_cut(slots.board.board.folder, tmp_path, attempt, step=step)
    record_property("cuts_in", "a firmware image over the air")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)
    assert count * step > 30
