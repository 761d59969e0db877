"""`provision --loop`: boards are plugged in and out, each is done as it appears."""

import json
import re
import signal
import subprocess
import threading
from contextlib import contextmanager

import pytest

from dynreg_tools.boards.report import Report
from dynreg_tools.virtualboard import Board
from tests_host.fleet import terminal
from tests_host.fleet.conftest import environment

LOOP = ("provision", "--loop", "--virtual", "boards", "--report", "batch.csv")


class Line:
    """The running command, and the rows that it has printed so far."""

    def __init__(self, process):
        self.process = process
        self.rows = []

    def next(self, **wanted):
        """The next row that is as wanted."""
        while True:
            text = self.process.stdout.readline()
            assert text, self.rows
            self.rows.append(json.loads(text))
            if self.rows[-1].items() >= wanted.items():
                return self.rows[-1]

    def stop(self):
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        self.rows += [json.loads(line) for line in self.process.stdout.read().splitlines()]
        return self.process.wait(30)


@contextmanager
def line(bench, *options):
    """The command, on what is below boards/."""
    (bench.folder / "boards").mkdir(exist_ok=True)
    process = subprocess.Popen(
        terminal.dynreg(*LOOP, "--json", *options),
        cwd=bench.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    guard = threading.Timer(200, process.kill)  # ends the reading, whatever happens
    guard.start()
    try:
        yield Line(process)
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


def at(name):
    return f"boards/{name}/port"


def latest(bench):
    return {row["mac"]: row for row in Report(bench.folder / "batch.csv").rows}


@pytest.mark.ci
def test_eight_boards_two_of_them_pulled_in_the_middle(bench):
    boards = [bench.board(f"b{n}") for n in range(8)]
    power = {}
    with line(bench, "--jobs", "4") as shift:
        for board in boards[:4]:
            power[board] = bench.on(board, wait=False)
        for board, pull in ((boards[1], "cable"), (boards[2], "power")):
            while power[board].flash_writes < 20:
                power[board].wait_change(0.1)
            if pull == "cable":
                power[board].unplug()
            else:
                power[board].__exit__()
        for name in ("b1", "b2"):
            assert shift.next(port=at(name))["error"] == "board.lost"
        power[boards[1]].plug_in()
        bench.on(Board(boards[2].folder), wait=False)
        for board in boards[4:]:
            power[board] = bench.on(board, wait=False)
        for board in boards:
            if not any(row["mac"] == board.mac and row["outcome"] == "good" for row in shift.rows):
                shift.next(mac=board.mac, outcome="good")
        assert shift.stop() == 0, shift.rows
    assert [row["outcome"] for row in shift.rows].count("failed") == 2
    rows = latest(bench)
    assert {row["outcome"] for row in rows.values()} == {"good"}
    assert set(rows) == {board.mac for board in boards}
    assert sorted(bench.events("registered")) == sorted(row["device"] for row in rows.values())


@pytest.mark.ci
def test_a_failed_board_is_tried_once_more_and_then_left_alone_until_it_was_unplugged(bench):
    bench.hub.set_product(register_type=1)
    first, second = bench.board("b0"), bench.board("b1")
    with line(bench) as shift:
        running = bench.on(first, wait=False)
        for _ in range(2):
            assert shift.next(port=at("b0"))["error"] == "register.refused"
        bench.hub.add_device("esp32-" + second.unique_id.hex())
        bench.on(second, wait=False)
        assert shift.next()["mac"] == second.mac  # nothing more of the first one
        bench.hub.add_device("esp32-" + first.unique_id.hex())
        running.unplug()
        running.plug_in()
        assert shift.next(port=at("b0"))["outcome"] == "good"
        running.unplug()
        running.plug_in()
        assert shift.next(port=at("b0"))["outcome"] == "skipped"
        assert shift.stop() == 0, shift.rows
    assert latest(bench)[first.mac]["attempts"] == 3


def test_ctrl_c_in_the_middle_leaves_in_order_and_says_how_the_shift_was(bench):
    board = bench.board("b0")
    running = bench.on(board)
    process = subprocess.Popen(
        terminal.dynreg(*LOOP), cwd=bench.folder, env=environment(), stdout=subprocess.PIPE
    )
    while running.flash_writes < 20:
        running.wait_change(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    first, row, action, last = out.decode().splitlines()
    assert first == "plug boards in; Ctrl-C ends"
    assert row.startswith(f"[0 good, 1 failed]  {at('b0')}  {board.mac}  failed  interrupted: ")
    assert not row.endswith("trying once more")
    assert action == "what to do about interrupted: run the same command again: it goes on"
    assert re.fullmatch(r"0 good, 1 failed; 1 try since \d\d:\d\d:\d\d, see batch\.csv", last), (
        last
    )
    running.wait_repl()
    assert not (bench.folder / "batch.csv.lock").exists()


def test_in_a_terminal_each_port_has_a_large_word_and_a_bell(bench):
    board = bench.board("b0")
    bench.on(board)
    env = environment() | {"TERM": "xterm-256color"}
    env.pop("COLUMNS")
    code, output = terminal.run(
        terminal.dynreg(*LOOP),
        bench.folder,
        env,
        typed=[
            (b"fingerprint", lambda process: None),
            (b"\x07", lambda process: process.send_signal(signal.SIGINT)),
        ],
    )
    bench.check_secrets(output)
    assert code == 0
    assert "\x1b[1;37;42m" in output  # white on green
    assert "██████" in output
    assert output.count("\x07") == 1
    shown = terminal.screen(output).splitlines()
    assert shown[-1].startswith("1 good, 0 failed; 1 try since ")
    assert all(len(text) <= 80 for text in shown)


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("--virtual", "none"), 1, "dynreg: none: no such folder of virtual boards\n"),
        (("--dry-run",), 2, "--loop changes boards: not with --dry-run\n"),
    ],
)
def test_what_a_loop_cannot_do_is_said_at_once(bench, arguments, code, words):
    result = bench.dynreg("provision", "--loop", *arguments, code=code)
    assert result.err.endswith(words)
