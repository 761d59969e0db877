"""Each command but deploy and provision: what it finds, what it says, how it leaves the board."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from dynreg_tools.boards import remedies
from dynreg_tools.sources import version
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import terminal
from tests_host.fleet.conftest import ROOT, environment, set_access_points

LOGGING = """
import time
while True:
    print("    0.100 INFO  one: a line")
    print("    0.200 WARN  two: a line")
    print("    0.300 ERROR three: a line [network.dns]")
    print("not of the log")
    time.sleep(0.2)
"""


@pytest.fixture
def ready(bench):
    """A bench with one board that is registered and runs its program."""
    board = bench.board("b0")
    running = bench.on(board)
    bench.dynreg("provision", "--port", "boards/b0/port", code=0)
    return bench, board, running


# ---- ports, status


def test_a_silent_port_is_reported_beside_the_boards_that_answer(ready):
    bench, board, _ = ready
    result = bench.dynreg("ports", "--json", "--port", "boards/b0/port", bench.folder / "none")
    assert result.code == 1
    one, two = result.rows
    assert one["mac"] == board.mac
    assert one["registered"] is True
    assert one["dynreg"] == version()
    assert two["error"] == "board.port"
    assert "no such port" in two["message"]


def test_a_board_whose_file_is_gone_is_known_by_its_second_copy(ready):
    bench, board, running = ready
    running.__exit__()
    board.remove_file("/device_info.json")
    bench.on(board)
    (row,) = bench.dynreg("ports", "--json", "--port", "boards/b0/port", code=0).rows
    assert row["registered"] is True
    assert row["device"] == "esp32-" + board.unique_id.hex()


def test_status_and_its_question_leave_the_program_running(ready):
    bench, board, running = ready
    logins = len(bench.hub.events)
    (row,) = bench.dynreg("status", "--port", "boards/b0/port", "--json", code=0).rows
    assert row["device"].startswith("esp32-" + board.unique_id.hex())
    running.wait_for("heartbeat: sent", 20)
    assert bench.events("registered") == ["esp32-" + board.unique_id.hex()]
    assert len(bench.hub.events) > logins


def test_status_of_a_board_with_a_wrong_file(bench):
    board = bench.board("b0")
    board.write_file("/device_info.json", "{}")
    bench.on(board)
    bench.configure()
    shutil.rmtree(bench.folder / "certs")
    result = bench.dynreg("status", "--port", "boards/b0/port")
    assert result.code == 1
    assert "no module named 'dynreg'" in result.out


# ---- doctor


def test_doctor_names_the_broken_link(ready):
    bench, _, _ = ready
    bench.hub.exchange_ca()
    result = bench.dynreg("doctor", "--port", "boards/b0/port", "--json")
    assert result.code == 1
    broken = [row for row in result.rows if row["state"] == "broken"]
    assert [(row["place"], row["link"]) for row in broken] == [
        ("this computer", "tls"),
        ("this computer", "tls"),
        ("boards/b0/port", "tls"),
        ("boards/b0/port", "tls"),
    ]
    assert {row["error"] for row in broken} == {"certificate"}
    assert {row["what_to_do"] for row in broken} == {remedies.what_to_do("certificate")}
    shown = bench.dynreg("doctor", "--port", "boards/b0/port")
    assert shown.out.endswith(
        "0 of 2 places good, gateway tls broken (2), broker tls broken (2)\n"
    )


@pytest.mark.ci
def test_doctor_without_wifi_tries_nothing_behind_it(ready):
    bench, board, running = ready
    running.__exit__()
    set_access_points(board, {"elsewhere": "pw"})
    bench.on(Board(board.folder), wait=False)
    result = bench.dynreg("doctor", "--port", "boards/b0/port", "--json", "--timeout", "1")
    rows = [row for row in result.rows if row["place"] == "boards/b0/port"]
    assert result.code == 1
    assert [row["link"] for row in rows] == ["wifi"]
    assert "not in reach" in rows[0]["message"]


@pytest.mark.ci
def test_doctor_and_a_clock_that_is_not_set(ready):
    bench, board, running = ready
    running.__exit__()
    board.write_file("/boot.py", "")
    board.write_file("/main.py", "")
    bench.on(board)
    rows = bench.dynreg("doctor", "--port", "boards/b0/port", "--json").rows
    clock = next(r for r in rows if r["place"] != "this computer" and r["link"] == "clock")
    assert clock["state"] == "broken"
    assert clock["message"].endswith("s behind")
    assert clock["error"] == "clock"
    assert any(row["link"] == "ntp" and row["state"] == "ok" for row in rows)


@pytest.mark.ci
def test_doctor_of_a_port_that_is_none_goes_on_with_the_others(ready):
    bench, _, _ = ready
    result = bench.dynreg("doctor", "--port", "none", "boards/b0/port")
    assert result.code == 1
    lines = [re.split(" {2,}", line) for line in result.out.splitlines()]
    assert ["none", "broken", *["-"] * 8] in lines
    assert ["boards/b0/port", "-", *["ok"] * 8] in lines
    assert result.out.splitlines()[-1] == "2 of 3 places good, board broken (1)"


def test_doctor_where_nobody_listens(bench):
    bench.configure(endpoint={"gateway": "https://localhost:1", "mqtt": "mqtts://localhost:1"})
    result = bench.dynreg("doctor", "--host-only", "--json")
    assert result.code == 1
    assert [(row["link"], row["state"]) for row in result.rows] == [
        ("dns", "ok"),
        ("tcp", "broken"),
    ] * 2


# ---- watch, repl


def test_watch_two_boards_over_a_reset(bench):
    boards = [bench.board(f"b{n}") for n in range(2)]
    for board in boards:
        board.write_file("/main.py", LOGGING)
    power = [bench.on(board, wait=False) for board in boards]
    process = subprocess.Popen(
        terminal.dynreg("watch", "--all", "--virtual", "boards", "--json"),
        cwd=bench.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    guard = threading.Timer(60, process.kill)  # ends the reading below, whatever happens
    guard.start()
    try:
        rows = []
        assert process.stdout

        def seen(port, text):
            while True:
                rows.append(json.loads(process.stdout.readline()))
                if rows[-1]["port"] == port and text in rows[-1]["text"]:
                    return

        for name in ("b0", "b1"):
            seen(f"boards/{name}/port", "three: a line")
        for name, running in zip(("b0", "b1"), power, strict=True):
            running.reset()
            seen(f"boards/{name}/port", "POWERON_RESET")
            seen(f"boards/{name}/port", "three: a line")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        guard.cancel()
        process.kill()
        process.communicate()
    error = {"seconds": 0.3, "level": "ERROR", "text": "three: a line [network.dns]"}
    assert {"port": "boards/b0/port"} | error in rows
    assert {"port": "boards/b1/port"} | error in rows


def test_watch_in_a_terminal_has_colours_and_waits_for_a_replugged_cable(bench):
    board = bench.board("b0")
    board.write_file("/main.py", LOGGING)
    running = bench.on(board, wait=False)
    env = environment() | {"TERM": "xterm-256color"}
    code, output = terminal.run(
        terminal.dynreg("watch", "--port", "boards/b0/port"),
        bench.folder,
        env,
        typed=[
            (b"three", lambda process: running.unplug()),
            (b"the port is gone", lambda process: running.plug_in()),
            (b"here again", lambda process: running.reset()),
            (b"POWERON_RESET", lambda process: None),
            (b"not of the log", lambda process: process.send_signal(signal.SIGINT)),
        ],
    )
    assert code == 130
    assert "\x1b[33m    0.200 WARN  two: a line" in output
    assert "\x1b[1;31m    0.300 ERROR three" in output


def test_watch_ends_by_itself(bench):
    board = bench.board("b0")
    board.write_file("/main.py", LOGGING)
    bench.on(board, wait=False)
    bench.dynreg("watch", "--port", "boards/b0/port", "--seconds", "1", code=0)


def test_repl_is_mpremotes(bench):
    bench.on(bench.board("b0"))
    code, output = terminal.run(
        terminal.dynreg("repl", "--port", "boards/b0/port", "--json"),
        bench.folder,
        environment(),
        typed=[(b"to exit this shell", b"\x1d")],
    )
    assert code == 0
    assert "Connected to MicroPython" in output
    assert json.loads(output.splitlines()[-1]) == {"port": "boards/b0/port", "exit": 0}


# ---- all of them


COMPLETE = """
source ./completion
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_dynreg
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_completes_ports_by_what_is_connected(tmp_path):
    """A name is data for the shell, whatever is in it."""
    for name in ("b1", "b2", "$(touch pwned)"):
        (tmp_path / "v" / name).mkdir(parents=True)
        (tmp_path / "v" / name / "port").touch()
    (tmp_path / "dynreg").write_text(f'#!/bin/sh\nexec {sys.executable} -m dynreg_tools "$@"\n')
    (tmp_path / "dynreg").chmod(0o755)
    script = dynreg("--print-completion", "bash", cwd=tmp_path).out
    (tmp_path / "completion").write_text(script)

    def completed(*words):
        command = ["bash", "-c", COMPLETE, "bash", "./dynreg", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    virtual = ("deploy", "--virtual", "v", "--port")
    assert completed(*virtual, "v/b") == ["v/b1/port", "v/b2/port"]
    assert completed(*virtual, "v/b1/port", "v/$") == [r"v/\$\(touch\ pwned\)/port"]
    assert completed("provision", "--report", "com") == ["completion"]
    assert "pwned" not in os.listdir(tmp_path)


def test_dev_runs_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "dev", "deploy", "--port", str(tmp_path / "none")],
        cwd=ROOT,
        env=os.environ | {"DYNREG_VIRTUAL": ""},
        capture_output=True,
        text=True,
    )
    # the repository's own file is the template, and set-up may say something before
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("dynreg: device_info.json: productId")
