"""Several boards at once, without boards: order, failures, how many at a time."""

import signal
import threading

import pytest

from dynreg_tools.boards import fleet
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.console import Console


def run(work, count=5, jobs=2):
    ports = [f"p{n}" for n in range(count)]
    rows = []
    fleet.run(ports, work, jobs, Console(True).progress(ports, "working"), rows.append)
    return {row["port"]: row for row in rows}


def test_a_failure_and_a_defect_hold_up_no_other():
    def work(port, stop, step):
        if port == "p1":
            raise BoardError("board.lost", "p1: the cable was pulled")
        if port == "p2":
            raise KeyError("x")
        return {"outcome": "good"}

    rows = run(work)
    assert [rows[f"p{n}"]["outcome"] for n in (0, 3, 4)] == ["good"] * 3
    assert rows["p1"]["error"] == "board.lost"
    assert rows["p1"]["message"] == "the cable was pulled"
    assert rows["p2"]["error"] == "internal"
    assert "KeyError" in rows["p2"]["message"]


def test_as_many_at_a_time_as_was_asked():
    lock = threading.Lock()
    meeting = threading.Barrier(2, timeout=10)
    now, most = 0, 0

    def work(port, stop, step):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        meeting.wait()  # two are here together, or it fails
        with lock:
            now -= 1
        return {"outcome": "good"}

    rows = run(work, count=6)
    assert most == 2
    assert {row["outcome"] for row in rows.values()} == {"good"}


def test_where_a_row_cannot_be_taken_down_no_other_board_goes_on():
    waiting = threading.Event()

    def work(port, stop, step):
        if port == "p1":
            waiting.set()
            assert stop.wait(10)
        else:
            waiting.wait(10)
        return {"outcome": "good"}

    def each(row):
        raise BoardError("report", "no room")

    with pytest.raises(BoardError, match="no room"):
        fleet.run(["p0", "p1"], work, 2, Console(True).progress([], ""), each)


def test_ctrl_c_never_comes_in_the_middle_of_a_row_and_begins_no_other_board():
    rows = []

    def each(row):
        signal.raise_signal(signal.SIGINT)
        rows.append(row["port"])

    def work(port, stop, step):
        return {"outcome": "good"}

    with pytest.raises(KeyboardInterrupt):
        fleet.run(["p0", "p1"], work, 1, Console(True).progress([], ""), each)
    assert rows == ["p0"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
