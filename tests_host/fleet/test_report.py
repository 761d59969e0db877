"""The report of a batch: what it keeps, reads and carries on."""

import csv
import json
import re

import pytest

from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.report import COLUMNS, Report
from tests_host.modes import readable, umask

OLD = "port,mac,device,outcome,error,what_to_do,seconds,fingerprint"  # of the first edition


def test_the_report_keeps_a_row_for_each_board(tmp_path):
    path = tmp_path / "r.csv"
    report = Report(path)
    row = dict.fromkeys(COLUMNS) | {"port": "p1", "outcome": "failed", "error": "board.lost"}
    report.add(row)  # its MAC was not read
    report.add(row | {"mac": "aa", "outcome": "failed"})
    report.add(row | {"mac": "bb", "port": "p2", "outcome": "good", "error": None})
    again = Report(path)
    assert again.good("bb")
    assert not again.good("aa")
    done = again.add(row | {"mac": "aa", "port": "p9", "outcome": "good", "error": None})
    assert done["attempts"] == 2  # the one without a MAC may have been another board's
    lines = path.read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 3
    assert sorted(line.split(",")[:2] for line in lines[1:]) == [["p2", "bb"], ["p9", "aa"]]
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.csv", "r.jsonl"]


def test_a_report_is_its_owners_alone(tmp_path):
    old = tmp_path / "old.jsonl"
    with umask(0):
        old.touch()
        for name in ("new.csv", "old.csv"):
            Report(tmp_path / name).add({"mac": "aa"})
    assert readable(*tmp_path.iterdir()) == {}


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_attempts_and_time_are_the_reports_own(tmp_path):
    path = tmp_path / "r.csv"
    for count in (1, 2, 3):
        row = Report(path).add({"port": "p1", "mac": "aa", "outcome": "failed"})
        assert row["attempts"] == count
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"])
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["attempts"] for line in lines] == [1, 2, 3]
    assert list(lines[0]) == list(COLUMNS)


def test_a_report_of_the_old_columns_is_carried_on(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(
        f"{OLD}\np1,aa,lamp-1,good,,,1.1,c3c24db7\np2,bb,lamp-2,failed,timeout,x,9.0,\n"
    )
    report = Report(path)
    assert report.good("aa")
    report.add({"port": "p2", "mac": "bb", "device": "lamp-2", "outcome": "good"})
    one, two = rows_of(path)
    assert (one["device"], one["fingerprint"], one["product"]) == ("lamp-1", "c3c24db7", "")
    assert (two["outcome"], two["attempts"]) == ("good", "2")


def test_columns_of_ones_own_and_what_a_spreadsheet_saves(tmp_path):
    """A byte order mark, other line ends, columns moved about, cells behind the last column."""
    path = tmp_path / "r.csv"
    text = "box,mac,port,outcome,device\r\n7,aa,p1,failed,lamp-1,,\r\n8,bb,p2,good,lamp-2\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    report = Report(path)
    report.add({"port": "p9", "mac": "aa", "outcome": "good"})
    assert [(row["box"], row["mac"], row["port"]) for row in rows_of(path)] == [
        ("8", "bb", "p2"),
        ("7", "aa", "p9"),
    ]


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"\xff\xfe\0", b"mac\nport\n", b"\0" * 99])
def test_what_is_no_report_is_left_alone(tmp_path, data):
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    with pytest.raises(BoardError, match=r"r\.csv: is no.* name another file"):
        Report(path)
    assert path.read_bytes() == data
