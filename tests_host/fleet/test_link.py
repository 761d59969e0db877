"""Link: one board over one port, and in what state it leaves the board."""

import os
import threading
import time

import pytest
import serial

from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.link import Link
from dynreg_tools.virtualboard import Board

BUSY = "import time\nprint('busy')\nwhile True:\n    time.sleep(1)\n"


@pytest.fixture
def board(tmp_path):
    return Board.new(tmp_path / "board")


def test_exec_files_and_what_the_board_says(board):
    blob = bytes(range(256)) * 40
    with board.power_on() as running:
        running.wait_repl()
        with Link(running.port) as link:
            assert link.exec("print(6 * 7)\nprint('two')") == "42\ntwo\n"
            link.write("/blob", blob)
            assert link.read("/blob") == blob
            with pytest.raises(BoardError, match="ZeroDivisionError") as caught:
                link.exec("1/0")
            assert caught.value.code == "board.exception"
            with pytest.raises(BoardError, match="no file /none"):
                link.read("/none")
            assert link.exec("print('goes on')") == "goes on\n"
    assert board.read_file("/blob") == blob


def test_a_program_is_started_again_and_a_prompt_left_alone(board):
    board.write_file("/main.py", BUSY)
    with board.power_on() as running:
        running.wait_for("busy")
        with Link(running.port) as link:
            assert link.running
        running.wait_for("busy")
        running.write("\x03")
        running.wait_for(">>> ")
        with Link(running.port) as link:
            assert not link.running
        running.wait_for("raw REPL")  # the prompts before it are of the link's own questions
        running.wait_for(">>> ")
        running.write("print('a' + 'live')\r")
        running.wait_for("alive")


def test_a_raw_repl_that_somebody_left_behind_is_healed(board):
    with board.power_on() as running:
        running.wait_repl()
        running.write("\x01")
        running.wait_for("raw REPL")
        with Link(running.port) as link:
            assert link.exec("print(1)") == "1\n"
        running.wait_for(">>> ")


def test_a_board_that_still_starts_is_waited_for(board):
    board.write_file("/boot.py", "import time\ntime.sleep(0.5)\n")
    with board.power_on() as running, Link(running.port) as link:
        assert link.exec("print(1)") == "1\n"


def test_ports_that_cannot_be_opened(board, tmp_path):
    with pytest.raises(BoardError, match="no such port") as caught, Link(str(tmp_path / "none")):
        pass
    assert caught.value.code == "board.port"
    with board.power_on() as running:
        running.wait_repl()
        with (
            serial.Serial(running.port, exclusive=True),
            pytest.raises(BoardError, match="close the other program"),
            Link(running.port),
        ):
            pass


def test_a_port_without_micropython(monkeypatch):
    monkeypatch.setattr("dynreg_tools.boards.entering.SILENT_S", 0.2)
    ours, theirs = os.openpty()
    try:
        with pytest.raises(BoardError, match="no MicroPython prompt") as caught:
            Link(os.ttyname(theirs)).__enter__()
        assert caught.value.code == "board.silent"
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_pulled_cable(board):
    with board.power_on() as running:
        running.wait_repl()
        with Link(str(board.folder / "port")) as link:
            running.unplug()
            with pytest.raises(BoardError, match="plug it in and run it again") as caught:
                link.exec("print(1)")
            assert caught.value.code == "board.lost"
        running.plug_in()
        with Link(str(board.folder / "port")) as link:
            assert link.exec("print(2)") == "2\n"


def test_a_full_flash(tmp_path):
    board = Board.new(tmp_path / "small", flash_size="64K")
    with board.power_on() as running:
        running.wait_repl()
        with (
            Link(running.port) as link,
            pytest.raises(BoardError, match="flash is full") as caught,
        ):
            link.exec("open('/big', 'wb').write(bytes(65000))")
    assert caught.value.code == "board.full"


def test_stop_ends_it_between_two_steps(board):
    stop = threading.Event()
    with board.power_on() as running:
        running.wait_repl()
        with Link(running.port, stop) as link:
            link.exec("print(1)")
            stop.set()
            with pytest.raises(BoardError) as caught:
                link.exec("print(2)")
    assert caught.value.code == "interrupted"


def test_stop_ends_it_while_the_board_works(board):
    stop = threading.Event()
    with board.power_on() as running:
        running.wait_repl()
        running.on_output(lambda text: "begun" in text and stop.set())
        with Link(running.port, stop) as link, pytest.raises(BoardError) as caught:
            link.exec("print('beg' + 'un')\nwhile True: pass", timeout=60)
        assert caught.value.code == "interrupted"
        with Link(running.port) as link:
            assert link.exec("print(1)") == "1\n"


def test_a_restart_in_the_middle_is_told_at_once(board):
    with board.power_on() as running:
        running.wait_repl()
        with Link(running.port) as link, pytest.raises(BoardError) as caught:
            link.exec("import machine; machine.reset()", timeout=60)
    assert caught.value.code == "board.lost"
    assert "the board restarted" in str(caught.value)


@pytest.mark.parametrize(
    "code, words",
    [
        ("while True: print('abc' * 1000)", "prints without end"),
        ("while True: print('abc', end='')\n", "fell silent"),
        ("import time; time.sleep(60)", "fell silent"),
    ],
)
def test_an_answer_that_does_not_end(board, code, words):
    with board.power_on() as running:
        running.wait_repl()
        with Link(running.port) as link, pytest.raises(BoardError, match=words) as caught:
            link.exec(code, timeout=60 if words.startswith("prints") else 0.3)
    assert caught.value.code == "board.lost"


def test_lines_go_on_over_a_reset_and_a_replugged_cable(board):
    board.write_file("/main.py", BUSY)
    with board.power_on() as running:
        running.wait_for("busy")
        fixed = str(board.folder / "port")
        with Link(fixed) as link:
            link.reset()
            lines = link.lines()
            assert wait_line(lines, "busy")
            running.unplug()
            assert lines.read(0.2) is None
            running.plug_in()
            end = time.monotonic() + 10
            while lines.gone and time.monotonic() < end:
                lines.read(0.1)
            running.reset()
            assert wait_line(lines, "busy")


def wait_line(lines, text) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if lines.read(0.2) == text:
            return True
    return False
