"""No board holds a command: programs that will not stop, boards that restart, other devices."""

import re

import pytest

from dynreg_tools.boards import entering, link
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import otherdevices
from tests_host.fleet.test_golden import compare

ONE = ("--port", "boards/b0/port")
MAC = "24:6f:28:00:00:01"
THREADS = """\
import _thread, time
def talk(number):
    while True:
        print("thread", number, "at", time.ticks_ms())
        time.sleep(0.1)
for number in range(2):
    _thread.start_new_thread(talk, (number,))
"""
WATCHED = """\
import machine, time
dog = machine.WDT(timeout=%d)
while True:
    dog.feed()
    time.sleep(0.05)
"""
PROGRAMS = {
    "threads": THREADS + "while True:\n    time.sleep(1)\n",
    "threads-behind-the-prompt": THREADS,
    "bare-except": """\
import time
while True:
    try:
        time.sleep(0.1)
    except:
        pass
""",
    "bare-except-computing": """\
number = 0
while True:
    try:
        number += 1
    except:
        pass
""",
    "deep-sleep": "import machine, time\ntime.sleep(0.5)\nmachine.deepsleep(2000)\n",
    "resets": """\
import machine, time
try:
    while True:
        time.sleep(0.1)
except:
    machine.reset()
""",
    "flood": "import sys\nwhile True:\n    sys.stdout.write('no newline ' * 50)\n",
    "asks": "while True:\n    input('name? ')\n",
    "watchdog": WATCHED % 700,
}


def deployed(bench, transcript, source, rounds=1, path="/main.py"):
    """The same transcript of a deploy over a program in each round.

    Without what depends on when a watchdog bites: whether it did, and what was done before that.
    """
    for number in range(rounds):
        bench.power.close()
        board = bench.board(f"b{number}", mac=MAC)
        board.write_file(path, source)
        running = bench.on(board, wait=False)
        place = f"boards/b{number}/port"
        result = bench.dynreg("deploy", "--force", "--port", place)
        text = result.out.replace(place, ONE[1])
        text = re.sub(r"\d+ files written (.*), \d+ unch", r"39 files written \1, 0 unch", text)
        if "watchdog" in transcript:
            text = re.sub(r"(?m)^.*(its watchdog restarted it|kept as /main.py.old).*\n", "", text)
            text = text.replace("device_info.json unchanged", "device_info.json new")
        compare(f"stubborn/{transcript}", result.code, text, result.err)
        running.wait_for("register: ", 30)  # it runs what it was given


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_does_not_stop_is_asked_and_goes_on(tmp_path, name):
    board = Board.new(tmp_path / "b0", mac=MAC)
    board.write_file("/main.py", "print('be' + 'gins')\n" + PROGRAMS[name])
    with board.power_on() as running:
        word = "no newline" if name == "flood" else "begins"  # of a flood only the end is kept
        running.wait_for(word)
        result = dynreg("ports", "--port", "b0/port", cwd=tmp_path)
        compare("stubborn/asked", result.code, result.out, result.err)
        running.wait_for(word)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_such_a_program_is_replaced_ten_times(bench, name):
    transcript = "watchdog" if name == "watchdog" else "replaced"
    deployed(bench, transcript, PROGRAMS[name], 10)


def test_a_boot_py_that_does_not_return(bench):
    deployed(bench, "boot", "import time\nwhile True:\n    time.sleep(1)\n", path="/boot.py")


def test_a_watchdog_is_lengthened(bench):
    deployed(bench, "watchdog", PROGRAMS["watchdog"])


def test_a_watchdog_that_cannot_be_lengthened_is_outrun_in_steps(bench, monkeypatch):
    source = link.onboard.source

    def refused(name):
        return "raise ValueError" if name == "watchdog" else source(name)

    monkeypatch.setattr("dynreg_tools.boards.onboard.source", refused)
    deployed(bench, "watchdog-fixed", WATCHED % 700)


def test_what_is_no_board_and_what_never_starts(bench, monkeypatch):
    monkeypatch.setattr(entering, "ENTER_S", 4)
    monkeypatch.setattr(entering, "SILENT_S", 1)
    with otherdevices.plugged_in(bench.folder) as ports:
        result = bench.dynreg("ports", "--jobs", "10", "--port", *ports)
        compare("stubborn/other-devices", result.code, result.out, result.err)
        result = bench.dynreg("doctor", "--jobs", "10", "--port", *ports[5:])
        compare("stubborn/never-starts", result.code, result.out, result.err)


LOOPS = {
    "brownout": "print('\\nBrownout detector was triggered\\n')\n",
    "panic": "import uctypes\nuctypes.bytearray_at(8, 1)[0] = 1\n",
    "watchdog": "machine.WDT(timeout=50)\nwhile True:\n    pass\n",
    "restarts": "",
}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("watchdog", "restarts")]


@pytest.mark.ci
@pytest.mark.parametrize("name", ["brownout", "panic", *SLOW])
def test_provision_tells_why_a_board_restarts_over_and_over(bench, name):
    app = bench.folder / "app"
    app.mkdir()
    (app / "main.py").write_text(f"import machine\n{LOOPS[name]}machine.reset()\n")
    bench.on(bench.board("b0", mac=MAC))
    result = bench.dynreg("provision", *ONE, "--app", "app")
    compare(f"stubborn/provision-{name}", result.code, result.out, result.err)


@pytest.mark.ci
def test_watch_tells_it_once(bench):
    board = bench.board("b0", mac=MAC)
    board.write_file("/main.py", f"import machine\n{LOOPS['brownout']}machine.reset()\n")
    bench.on(board, wait=False)
    result = bench.dynreg("watch", *ONE, "--seconds", "3", "--json")
    told = [row["text"] for row in result.rows if row["text"].startswith("-- ")]
    compare("stubborn/watch-brownout", result.code, "\n".join(told))
