"""A bundle over the air on a whole board: taken, refused, rolled back; what the cloud is told."""

import re

import pytest

from tests_host.faults.rows import UPDATES
from tests_host.ota.conftest import CONFIRM, MAIN

OLD = "STANDS 1.0 False False None"
NEW = "STANDS 1.1 False False None"


def test_a_bundle_is_taken_and_confirmed(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        assert ota.offer(ota.program("1.1")) == 1
        running.wait_for("PROGRAM 1.1", 15)
        running.wait_for(NEW, 15)
    assert ota.told() == [("1.1", "burning", 0), ("1.1", "done", 0)]
    assert ota.row()["reported"] == "1.1"
    assert ota.state() == {"run": "b", "version": "1.1", "job": None}
    assert "ota.part" not in ota.board.board.listdir("/")


def test_over_verified_tls_with_one_connection_at_a_time(virtual_board, tmp_path, ota):
    virtual_board.configure()
    with virtual_board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1"), "https")
        running.wait_for(NEW, 40)
    words = running.output
    assert re.search(r"disconnect: done\r\n(?s:.)*connect: CONNACK 0, psk", words)
    assert ota.told()[-1] == ("1.1", "done", 0)


def test_a_board_that_was_off_is_offered_it_when_it_says_its_version(ota):
    assert ota.offer(ota.program("1.1")) == 0
    with ota.board.power_on() as running:
        running.wait_for(NEW, 30)
    assert ota.row()["state"] == "done"


CRASHES = {
    "1.1": ("import no_such_module\n" + MAIN, CONFIRM),
    "1.2": (MAIN, "raise ValueError('out of order')"),
    "1.3": ("print('it ends')\n", ""),
    "1.4": ("import sys\nsys.exit()\n", ""),
}


def test_a_program_that_ends_before_it_is_confirmed_is_rolled_back(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        for version, (main, confirm) in CRASHES.items():
            before = running.starts
            ota.offer(ota.program(version, main, confirm, boots=2))
            running.wait_for(f"ota: {version} is not confirmed: back to 1.0", 30)
            running.wait_for(OLD, 15)
            assert running.starts == before + 3
            assert ota.told()[-1] == (version, "fail", -5)
            assert ota.row()["reported"] == "1.0"
    assert ota.state() == {"run": "a", "version": "1.0", "job": None}


def test_a_program_that_hangs_is_ended_by_the_watchdog_and_rolled_back(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1", "while True:\n    pass\n", boots=1, seconds=1))
        running.wait_for("ota: 1.1 is not confirmed: back to 1.0", 30)
        running.wait_for(OLD, 15)
        assert "WDT" in running.output
    assert ota.told()[-1] == ("1.1", "fail", -5)


def test_a_program_that_runs_and_never_confirms_is_rolled_back_after_its_time(ota):
    ota.board.fast_forward = 50
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1", confirm="pass", seconds=30))
        running.wait_for("STANDS 1.1 True False None", 30)
        running.wait_for(OLD, 15)
    assert ota.told()[-1] == ("1.1", "fail", -5)
    row = ota.row()
    assert (row["reported"], row["message"]) == ("1.0", "not confirmed in time")


def test_a_new_program_that_was_half_deleted_is_rolled_back(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1", boots=1))
        running.wait_for("ota: 1.1 starts", 15)
    board = ota.board.board
    assert ota.state()["run"] == "b"
    board.remove_file("/app_b/mine.mpy")
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
    assert ota.told()[-1] == ("1.1", "fail", -5)


def test_the_watchdog_of_a_trial_is_gone_once_it_is_confirmed(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1", seconds=600))
        running.wait_for("ota: 1.1 is confirmed", 15)
        running.wait_for("PROGRAM 1.1", 15)
        running.wait_for(NEW, 15)
        assert running.starts == 3
    assert ota.told()[-1] == ("1.1", "done", 0)


def test_the_next_one_goes_into_the_first_slot_again(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1"))
        running.wait_for(NEW, 30)
        ota.offer(ota.program("1.2"))
        running.wait_for("STANDS 1.2 False False None", 30)
    assert ota.state()["run"] == "a"
    assert ota.row()["reported"] == "1.2"


@pytest.mark.ci
def test_what_cannot_be_had_is_told_and_the_program_goes_on(ota):
    ota.board.fast_forward = 50
    refused = {fault: told for fault, told in UPDATES.items() if told}
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        for count, (fault, (code, word)) in enumerate(refused.items(), 1):
            ota.hub.clear_faults()
            ota.hub.fault(fault)
            ota.offer(ota.program(f"1.{count}"))
            event = ota.hub.wait_for("update", 40, count=count, state="fail")
            assert event["code"] == code, fault
            assert word in event["message"], fault
        running.reset()
        running.wait_for(OLD, 15)
    assert ota.row()["reported"] == "1.0"
    assert ota.state() == {"run": "a", "version": "1.0", "job": None}


def test_what_passes_is_got_over(ota):
    ota.board.fast_forward = 50
    passes = [fault for fault, told in UPDATES.items() if told is None]
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        for count, fault in enumerate(passes, 1):
            ota.hub.clear_faults()
            ota.hub.fault(fault)
            ota.offer(ota.program(f"1.{count}"))
            running.wait_for(f"STANDS 1.{count} False False None", 40)
    assert [told for told in ota.told() if told[1] == "fail"] == []


def test_a_bundle_with_a_dynreg_of_its_own_runs_on_that(ota):
    """Though boot.py has loaded the one in /lib."""
    main = "import dynreg\nprint('FROM', dynreg.__file__)\n" + MAIN
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.offer(ota.program("1.1", main))
        running.wait_for("FROM /lib/dynreg/__init__.mpy", 15)
        running.wait_for(NEW, 15)
        ota.offer(ota.program("1.2", main, library=True))
        running.wait_for("FROM dynreg/__init__.mpy", 40)
        running.wait_for("STANDS 1.2 False False None", 15)
    assert "dynreg" in ota.board.board.listdir("/app_a")


def test_the_version_that_runs_is_refused(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.hub.services.update(ota.name, "1.0", b"x", "http")
        ota.hub.wait_for("update", 20, state="fail")
    assert ota.row()["message"] == "it is the running version"


def test_a_flash_that_is_full_is_told(ota):
    with ota.board.power_on() as running:
        running.wait_for(OLD, 15)
        ota.hub.services.update(ota.name, "1.1", bytes(2_000_000), "http")
        ota.hub.wait_for("update", 20, state="fail")
        running.wait_for(OLD, 15)
    row = ota.row()
    assert row["code"] == -5
    assert "no room" in row["message"]
