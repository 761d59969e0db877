"""boot.py, main.py, the prompts and what lies between them, as ports/esp32/main.c has it."""

import gc
import os
import time

import pytest

from dynreg_tools.virtualboard import Board, BoardError

COLLECTING = """
import gc, time
kept = [bytes(20) for _ in range(2000)]
turn = 0
while turn < 30:
    try:
        print("turn", turn)
        while True:
            for _ in range(20): gc.collect()
            time.sleep_ms(1)
    except KeyboardInterrupt:
        turn += 1
print("all turns", len([bytes(20) for _ in range(1000)]))
"""


SEARCHING = """
import time
turn = 0
while turn < 30:
    try:
        print("turn", turn)
        while True:
            for _ in range(5):
                try:
                    import nothing_there
                except ImportError:
                    pass
            time.sleep_ms(1)
    except KeyboardInterrupt:
        turn += 1
print("all turns")
"""


def started(board, **power):
    with board.power_on(**power) as running:
        running.wait_repl()
        return running.output


def test_boot_then_main_then_banner(board):
    board.write_file("/boot.py", "print('in boot'); x = 4\n")
    board.write_file("/main.py", "print('in main', x, sorted(k for k in dir() if k[0] != '_'))\n")
    text = started(board)
    assert "rst:0x1 (POWERON_RESET)\r\nin boot\r\nin main 4 ['x']\r\nMicroPython " in text
    assert '; VIRTUAL ESP32 board with ESP32\r\nType "help()"' in text
    assert text.endswith("\r\n>>> ")


def test_exception_in_boot_skips_main(board):
    board.write_file("/boot.py", "def f():\n    1 / 0\nf()\n")
    board.write_file("/main.py", "print('in main')\n")
    text = started(board)
    assert text.count("Traceback") == 1
    assert "in main" not in text
    assert 'Traceback (most recent call last):\r\n  File "boot.py", line 3, in <module>' in text
    assert "ZeroDivisionError: divide by zero\r\nMicroPython" in text


def test_soft_reset_from_both_prompts(board):
    board.write_file("/boot.py", "print('B')\n")
    board.write_file("/main.py", "print('M')\n")
    with board.power_on() as running:
        running.wait_repl()
        running.write("\x04")
        running.wait_for("MPY: soft reboot\r\nB\r\nM\r\nMicroPython")
        running.wait_for(">>> ")
        running.write("\x01")
        running.wait_for("raw REPL; CTRL-B to exit\r\n>")
        running.write("\x04")
        running.wait_for("OK\r\nMPY: soft reboot\r\nB\r\nraw REPL; CTRL-B to exit\r\n>")
        running.write("print(7)\x04")
        running.wait_for("OK7\r\n\x04\x04>")
        running.write("\x02")
        running.wait_for("; VIRTUAL ESP32 board with ESP32\r\n")
        running.wait_for(">>> ")
        running.write("\x04")
        running.wait_for("MPY: soft reboot\r\nB\r\nM\r\nMicroPython")


def test_ctrl_c_interrupts_main(board):
    board.write_file("/main.py", "import time\nprint('go')\nwhile True:\n    time.sleep(1)\n")
    with board.power_on() as running:
        running.wait_for("go")
        running.write("\x03")
        running.wait_for("KeyboardInterrupt:")
        running.wait_for(">>> ")
        running.write("1 + 1\r")
        running.wait_for("2\r\n")


def interrupted_at_each_turn(board, program):
    board.write_file("/main.py", program)
    with board.power_on() as running:
        for turn in range(30):
            running.wait_for(f"turn {turn}\r\n")
            time.sleep(0.003 * (turn % 7))
            running.write("\x03")
        running.wait_for("all turns")
        running.wait_repl()
        assert running.main_status == "ok"


def test_ctrl_c_never_interrupts_a_garbage_collection(board):
    """The unix port raises from the signal's handler; there it would leave the heap locked."""
    interrupted_at_each_turn(board, COLLECTING)


def test_ctrl_c_is_not_lost_in_the_search_for_a_module(board):
    """The unix port takes whatever is raised there for a file that is not there."""
    interrupted_at_each_turn(board, SEARCHING)


def test_a_ctrl_c_at_the_very_end_of_main_does_not_cost_the_prompt(board):
    board.write_file("/main.py", "print('the end')\n")
    with board.power_on() as running:
        running.on_output(lambda text: "the end" in text and running.write("\x03"))
        for _ in range(20):
            running.wait_repl()
            running.reset()
        running.wait_repl()


def test_what_was_typed_before_the_power_came_back_is_lost(board):
    """A UART keeps nothing over a reset: an old Ctrl-C must not stop the next program."""
    board.write_file("/main.py", "import time\ntime.sleep_ms(200)\nprint('to the end')\n")
    with board.power_on() as running:
        running.wait_for("to the end")
        running.wait_repl()
        terminal = os.open(running.port, os.O_WRONLY | os.O_NOCTTY)

        def typist(text):
            if "POWERON_RESET" in text:
                os.write(terminal, b"\x03")

        running.on_output(typist)
        try:
            running.power_cycle()
            running.wait_for("to the end")
            running.reset()
            running.wait_for("to the end")
        finally:
            os.close(terminal)


def test_exit_in_main_is_a_soft_reset(board):
    board.write_file(
        "/main.py",
        "import machine, sys\nprint('cause', machine.reset_cause())\n"
        "if machine.reset_cause() != machine.SOFT_RESET:\n    sys.exit()\n",
    )
    text = started_twice = None
    with board.power_on() as running:
        running.wait_for("cause 1\r\nMPY: soft reboot\r\ncause 5")
        running.wait_repl()
        text = started_twice = running.output
    assert started_twice.count("soft reboot") == 1
    assert "Traceback" not in text


def test_machine_soft_reset(board):
    with board.power_on() as running:
        running.wait_repl()
        running.write("import machine; machine.soft_reset()\r")
        running.wait_for("MPY: soft reboot\r\nMicroPython")


def test_the_host_is_out_of_reach(board):
    board.write_file(
        "/main.py",
        "import os, sys\n"
        "print(os.listdir('/'), sys.path, sys.argv, sorted(sys.modules))\n"
        "for path in ('/etc/passwd', '/../etc/passwd', '/.firmware/ntptime.py'):\n"
        "    try:\n        open(path); print('open', path)\n"
        "    except OSError as e:\n        print(e.errno)\n"
        "print(hasattr(os, 'system'), hasattr(os, 'getenv'), hasattr(sys, 'executable'))\n",
    )
    lines = started(board).replace("\r\n", "\n").splitlines()
    at = lines.index("['boot.py', 'main.py'] ['', '.frozen', '/lib'] [] []")
    assert lines[at + 1 : at + 5] == ["2", "22", "2", "False False False"]


def test_heap_is_the_boards_own(tmp_path):
    board = Board.new(tmp_path / "b", heap="64K")
    board.write_file(
        "/main.py", "import gc\ngc.collect()\nprint('free', gc.mem_free())\nx = bytearray(80000)\n"
    )
    text = started(board)
    free = int(text.split("free ")[1].split()[0])
    assert 52_000 < free < 72_000
    assert "MemoryError" in text


def test_nothing_is_left_behind(board):
    gc.collect()  # what earlier tests left must not close now, and move the numbers
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    with pytest.raises(KeyError), board.power_on() as running:
        running.wait_repl()
        process = running._loop._process.pid
        raise KeyError
    assert not running._loop.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert not (board.folder / "port").is_symlink()
    if before is not None:
        assert set(os.listdir("/proc/self/fd")) <= before


def test_powered_board_keeps_its_flash(board):
    with board.power_on():
        with pytest.raises(BoardError, match="powered on"):
            board.read_file("/boot.py")
        with pytest.raises(BoardError, match="already"), board.power_on():
            pass
    assert board.listdir() == ["boot.py"]


def test_output_arrives_live(board):
    board.write_file("/main.py", "print('one')\n")
    received = []
    with board.power_on() as running:
        running.on_output(received.append)
        running.write("print('t' + 'wo')\r")
        running.wait_for("two")
    assert "two" in "".join(received)


def test_who_waits_for_the_prompt_finds_it_listened_to(board):
    received = []

    def slowly(text):
        time.sleep(0.2)
        received.append(text)

    with board.power_on() as running:
        running.wait_repl()
        running.on_output(slowly)
        running.reset()
        running.wait_repl()
        assert "".join(received).endswith(">>> ")


def test_what_was_printed_before_a_reset_is_not_lost(board):
    """The words come by the terminal and the wish to reset by the channel, in any order."""
    board.write_file(
        "/main.py",
        "import machine, time\ntime.sleep_us(hash(time.ticks_us()) % 2000)\n"
        "print('last words')\nmachine.reset()\n",
    )
    with board.power_on() as running:
        for turn in range(40):
            running.wait_for("last words\r\nets ")
            assert running.starts >= turn + 2
        assert running.output.count("ets ") - running.output.count("last words") in (0, 1)
