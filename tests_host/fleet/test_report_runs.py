"""The report of a batch: two runs at once, and runs that were killed at any moment."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from dynreg_tools.boards import openreport
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.report import Report
from tests_host.fleet import batchfolder, terminal
from tests_host.fleet.conftest import environment
from tests_host.modes import readable, umask

ROW = {"port": "p1", "mac": "24:6f:28:00:00:01", "device": "one", "outcome": "failed"}
OTHER = {"port": "p2", "mac": "24:6f:28:00:00:02", "device": "two", "outcome": "good"}
HOLDING = """
import sys
from pathlib import Path
from dynreg_tools.boards import openreport
with openreport.opened(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
# Adds two rows; before the Nth call that touches the disk it is killed.
WRITING = """
import builtins, os, signal, sys
from pathlib import Path
from dynreg_tools.boards import openreport

left = int(sys.argv[2])

def counted(real):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)
    return call

with openreport.opened(Path(sys.argv[1])) as report:
    for place, name in ((builtins, "open"), (os, "open"), (os, "fsync"), (os, "replace")):
        setattr(place, name, counted(getattr(place, name)))
    for row in {rows}:
        report.add(row)
print(left)
"""


def started(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(tmp_path):
    """A process that has tmp_path/r.csv."""
    process = started(HOLDING, tmp_path / "r.csv")
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def refused(path):
    with pytest.raises(BoardError) as caught, openreport.opened(path):
        pass
    return caught.value


def test_a_second_run_is_told_who_has_the_report(tmp_path, holder):
    batchfolder.make_info(tmp_path)
    command = terminal.dynreg("provision", "--port", "none", "--report", "r.csv")
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    who = rf"process {holder.pid} on {re.escape(os.uname().nodename)}, since [\d-]+ [\d:]+,"
    sentence = rf"dynreg: r\.csv: {who} has it: let it end, or name another report\n"
    assert re.fullmatch(sentence, done.stderr), done.stderr
    assert done.returncode == 1
    assert done.stdout == ""


def test_the_same_report_by_another_name_is_locked_too(tmp_path, holder):
    (tmp_path / "link.csv").symlink_to("r.csv")
    assert refused(tmp_path / "link.csv").code == "report.locked"


def test_a_report_behind_a_link_stays_behind_it(tmp_path):
    (tmp_path / "link.csv").symlink_to("r.csv")
    Report(tmp_path / "link.csv").add(OTHER)
    assert (tmp_path / "link.csv").is_symlink()
    assert Report(tmp_path / "r.csv").good(OTHER["mac"])


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "r.csv.lock").exists()
    with openreport.opened(tmp_path / "r.csv") as report:
        report.add(ROW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "r.jsonl"]


def test_a_dry_run_reads_a_report_that_another_run_has(tmp_path, holder):
    with openreport.opened(tmp_path / "r.csv", reading=True) as report:
        assert report.good(OTHER["mac"]) is None


def test_a_lock_is_its_owners_alone_and_says_no_more_than_it_must(tmp_path):
    with umask(0), openreport.opened(tmp_path / "r.csv"):
        assert readable(tmp_path / "r.csv.lock") == {}
        who = json.loads((tmp_path / "r.csv.lock").read_text())
    assert set(who) == {"pid", "host", "since"}


@pytest.mark.parametrize("left", ["", "{", '{"pid": "x"}', "[1]", '{"pid": 1, "since": "now"}'])
def test_a_lock_file_that_says_nothing_is_some_other_runs(tmp_path, holder, left):
    (tmp_path / "r.csv.lock").write_text(left)
    assert "another run has it" in str(refused(tmp_path / "r.csv"))


def test_a_report_where_nothing_can_be_written(tmp_path):
    error = refused(tmp_path / "none" / "r.csv")
    assert str(error) == (
        f"{tmp_path}/none/r.csv.lock: cannot be locked (No such file or directory): "
        "name a report elsewhere"
    )


def killed_runs(path):
    """Runs that are killed before their first, second, … step; then one that is not."""
    program = WRITING.replace("{rows}", repr([ROW, OTHER]))
    for step in range(1, 100):
        for file in path.parent.glob(path.stem + ".*"):
            file.unlink()
        process = started(program, path, step)
        out, _ = process.communicate()
        yield step
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0
            assert int(out) > 0
            return
    raise AssertionError("it never came to its end")


def test_kill_9_before_each_step_leaves_a_report_that_resumes(tmp_path):
    path = tmp_path / "r.csv"
    runs = 0
    for runs in killed_runs(path):  # noqa: B007
        attempts = path.with_suffix(".jsonl")
        whole = attempts.read_text().splitlines() if attempts.exists() else []
        macs = [json.loads(line)["mac"] for line in whole]
        with openreport.opened(path) as report:
            assert [row["mac"] for row in report.rows] == macs
            report.add(OTHER)
        assert Report(path).good(OTHER["mac"])
        assert not list(tmp_path.glob("*.part"))
    assert runs > 12  # open, fsync and replace of two files, twice


@pytest.mark.parametrize("torn", ["{", '{"port": "p1", "mac": "24:6f', "\0\0\0", '"text"'])
def test_a_torn_last_attempt_is_taken_away(tmp_path, torn):
    path = tmp_path / "r.csv"
    Report(path).add(OTHER)
    attempts = path.with_suffix(".jsonl")
    before = attempts.read_text()
    attempts.write_text(before + torn)
    with openreport.opened(path) as report:
        assert [row["mac"] for row in report.rows] == [OTHER["mac"]]
    assert attempts.read_text() == before


def test_an_attempt_that_lacks_its_line_end_only_counts(tmp_path):
    path = tmp_path / "r.csv"
    Report(path).add(ROW)
    attempts = path.with_suffix(".jsonl")
    attempts.write_text(attempts.read_text() + json.dumps(OTHER))
    with openreport.opened(path) as report:
        assert report.good(OTHER["mac"])
    assert [json.loads(line)["mac"] for line in attempts.read_text().splitlines()] == [
        ROW["mac"],
        OTHER["mac"],
    ]


def test_a_person_may_take_a_row_out_or_begin_anew(tmp_path):
    path = tmp_path / "r.csv"
    Report(path).add(OTHER)
    lines = path.read_text().splitlines()
    path.write_text(lines[0] + "\n")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))  # a person is not as fast as this
    with openreport.opened(path) as report:
        assert report.rows == []
    path.unlink()
    with openreport.opened(path) as report:
        assert report.rows == []


def test_a_board_without_a_mac_is_no_more_once_a_good_one_is_met_at_its_port(tmp_path):
    path = tmp_path / "r.csv"
    report = Report(path)
    for row in (OTHER, {"port": "p3", "outcome": "failed"}, {"port": "p4", "outcome": "failed"}):
        report.add(row)
    report.met("p3")
    for read in (report, Report(path)):
        assert [row["port"] for row in read.rows] == ["p2", "p4"]
