"""Which board is due as boards are plugged in and out, and the counters of a shift."""

import os

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from dynreg_tools.boards import plugged
from dynreg_tools.boards.plugged import AGAIN_S, SETTLE_S, Plugged, Seen
from dynreg_tools.boards.shift import Shift


class Bench:
    """Ports by their marks, a clock that goes on when told to, and what was told."""

    def __init__(self):
        self.boards, self.others, self.now, self.told = {}, {}, 0.0, []
        self.busy_reading = False
        self.plugged = Plugged(
            lambda: None if self.busy_reading else Seen(dict(self.boards), self.others),
            lambda port: self.told.append(("came", port)),
            lambda port: self.told.append(("went", port)),
            lambda port, what: self.told.append((what, port)),
            lambda: self.now,
        )

    def later(self, free=9, seconds=SETTLE_S):
        """What is due once new ports have settled."""
        self.plugged.due(0)
        self.now += seconds
        return self.plugged.due(free)


@pytest.fixture
def bench():
    bench = Bench()
    bench.boards["a"] = 1
    return bench


def test_a_board_is_begun_with_once_it_has_settled_and_only_once(bench):
    assert bench.plugged.due(9) == []
    assert bench.later() == ["a"]
    assert bench.later() == []
    assert not bench.plugged.finished("a", failed=False)
    assert bench.later() == []


def test_no_more_than_are_free(bench):
    bench.boards |= {"b": 1, "c": 1}
    assert bench.later(free=2) == ["a", "b"]
    assert bench.later(free=0) == []
    assert bench.later(free=1) == ["c"]


def test_a_failed_board_is_tried_once_more_and_then_left_alone(bench):
    assert bench.later() == ["a"]
    assert bench.plugged.finished("a", failed=True)
    assert bench.later(seconds=AGAIN_S - 1) == []
    assert bench.later() == ["a"]
    assert not bench.plugged.finished("a", failed=True)
    assert bench.later() == []


@pytest.mark.parametrize("failed", [False, True])
def test_a_board_that_was_unplugged_is_new_when_it_comes_back(bench, failed):
    for _ in range(2):
        bench.later(seconds=AGAIN_S)
        bench.plugged.finished("a", failed)
    del bench.boards["a"]
    assert bench.later() == []
    bench.boards["a"] = 1
    assert bench.later() == ["a"]
    assert bench.plugged.finished("a", failed) is failed


def test_another_board_at_the_same_port_is_new_though_the_port_was_never_seen_gone(bench):
    bench.later()
    bench.plugged.finished("a", failed=False)
    bench.boards["a"] = 2
    assert bench.later() == ["a"]
    assert bench.told == [("came", "a"), ("went", "a"), ("came", "a")]


def test_a_board_pulled_while_it_is_worked_on_is_not_tried_without_it(bench):
    bench.later()
    del bench.boards["a"]
    assert bench.later() == []
    assert not bench.plugged.finished("a", failed=True)
    assert not bench.plugged.there("a")
    bench.boards["a"] = 2
    assert bench.later() == ["a"]
    assert bench.plugged.finished("a", failed=True)


def test_native_usb_that_goes_away_for_a_reset_is_the_same_board(bench):
    bench.later()
    del bench.boards["a"]
    bench.later()
    bench.boards["a"] = 2
    bench.later()
    assert not bench.plugged.finished("a", failed=False)
    assert bench.later() == []
    assert bench.told == [("came", "a")]


def test_a_board_that_goes_before_its_turn_is_never_begun_with(bench):
    bench.plugged.due(9)
    del bench.boards["a"]
    assert bench.later() == []


def test_where_what_is_plugged_in_cannot_be_told_nothing_changes(bench):
    bench.later()
    bench.busy_reading = True
    assert bench.later() == []
    assert not bench.plugged.finished("a", failed=False)
    assert bench.told == [("came", "a")]


def test_a_port_that_is_no_boards_is_told_once_and_left_alone(bench):
    bench.others["m"] = "a modem"
    bench.later()
    bench.later()
    assert bench.told.count(("a modem", "m")) == 1
    assert bench.later() == []


# ---- what is plugged in


def port_info(device, vid, words="CP2102\x1b[2J"):
    info = ListPortInfo(device)
    info.vid, info.pid, info.manufacturer, info.product = vid, 0x1506, None, words
    return info


def test_usb_devices_are_boards_by_their_adapter_and_others_are_named_harmlessly(monkeypatch):
    node = "/dev/null"
    ports = [port_info(node, 0x10C4), port_info("m", 0x12D1), port_info("/dev/ttyS0", None)]
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    seen = plugged.look([], None)
    assert list(seen.boards) == [node]
    assert seen.others == {"m": "CP2102\\x1b[2J (12d1:1506)"}


@pytest.mark.parametrize("error", [TypeError, OSError, ValueError])
def test_a_device_that_goes_while_pyserial_reads_it_ends_nothing(monkeypatch, error):
    def comports():
        raise error

    monkeypatch.setattr(list_ports, "comports", comports)
    assert plugged.look([], None) is None


def test_a_link_that_leads_elsewhere_is_another_plug(tmp_path, monkeypatch):
    monkeypatch.setattr(list_ports, "comports", list)
    folder = tmp_path / "boards"
    assert plugged.look([], str(folder)).boards == {}
    (folder / "b0").mkdir(parents=True)
    link = folder / "b0" / "port"
    marks = []
    for node in ("/dev/null", "/dev/zero", "/nowhere"):
        link.unlink(missing_ok=True)
        link.symlink_to(node)
        marks.append(plugged.look([], str(folder)).boards.get(str(link)))
    assert marks[0] != marks[1]
    assert marks[2] is None


def test_named_ports_are_all_that_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(list_ports, "comports", lambda: [port_info("m", 0x12D1)])
    seen = plugged.look([os.devnull, os.devnull, str(tmp_path / "none")], None)
    assert list(seen.boards) == [os.devnull]
    assert seen.others == {}


# ---- counters


def test_the_counters_of_a_shift_are_of_boards_and_of_tries():
    shift = Shift()
    rows = [
        {"port": "a", "mac": None, "outcome": "failed"},
        {"port": "a", "mac": "1", "outcome": "failed"},
        {"port": "b", "mac": "2", "outcome": "good"},
        {"port": "b", "mac": "1", "outcome": "good"},
        {"port": "b", "mac": "3", "outcome": "skipped"},
        {"port": "b", "mac": "2", "outcome": "skipped"},
        {"port": "c", "mac": "4", "outcome": "failed"},
        {"port": "d", "mac": None, "outcome": "failed"},
        {"port": "d", "mac": "3", "outcome": "skipped"},
    ]
    for row in rows:
        shift.count(row)
    since = f"{shift.since:%H:%M:%S}"
    assert str(shift) == f"2 good, 1 failed, 1 good already; 6 tries since {since}"
