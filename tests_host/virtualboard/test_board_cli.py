"""dynreg board new, dynreg board run."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynreg_tools.virtualboard import Board

ROOT = Path(__file__).resolve().parents[2]
CLI = [sys.executable, "-m", "dynreg_tools", "board"]


def dev_board(*arguments, timeout=20):
    done = subprocess.run(
        [*CLI, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, cwd=ROOT
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [[], ["new"], ["run"]])
def test_help(arguments):
    code, text, _ = dev_board(*arguments, "--help")
    assert code == 0
    assert text.startswith(" ".join(["usage: dynreg board", *arguments]))


def test_new_then_run_until_stopped(tmp_path):
    code, text, _ = dev_board(
        "new",
        tmp_path / "b",
        "--mac",
        "24:6F:28:00:00:07",
        "--wifi",
        "lab:p:w",
        "--wifi",
        "open",
        "--ntp",
        "127.0.0.1:123",
        "--flash-size",
        "1M",
        "--heap",
        "128K",
    )
    assert (code, text) == (0, f"{tmp_path / 'b'}: virtual board 24:6f:28:00:00:07\n")
    settings = json.loads((tmp_path / "b" / "board.json").read_text())
    assert settings["wifi"] == {"lab": "p:w", "open": None}
    assert settings["ntp"] == ["127.0.0.1", 123]
    assert settings["flash_size"] == 1 << 20
    process = subprocess.Popen(
        [*CLI, "run", str(tmp_path / "b"), "--verbose", "--count-writes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    ready = json.loads(process.stdout.readline())
    assert ready == {"ready": True, "port": ready["port"], "mac": "24:6f:28:00:00:07"}
    assert (tmp_path / "b" / "port").readlink() == Path(ready["port"])
    while "VIRTUAL ESP32" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(out) == {"flash_writes": 0}
    assert not (tmp_path / "b" / "port").is_symlink()


def test_stop_after(board):
    start = time.monotonic()
    assert dev_board("run", board.folder, "--stop-after", "0.3")[0] == 0
    assert 0.3 < time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("print('well')", 0),
        ("print('bad'); 1/0", 1),
        ("import sys; sys.exit()", 0),
        ("while True: pass", 124),
    ],
)
def test_once(board, source, code):
    board.write_file("/main.py", source + "\n")
    result, out, err = dev_board("run", board.folder, "--once", "--timeout", "1")
    assert result == code, err
    assert ("Traceback" in out) == (code == 1)
    assert "POWERON_RESET" in out


def test_once_with_a_power_cut(board):
    board.write_file("/main.py", "f = open('/f', 'w')\nf.write('1')\nf.close()\nprint('never')\n")
    code, out, err = dev_board(
        "run", board.folder, "--once", "--power-cut", "1", "--torn", "half", "--count-writes"
    )
    assert code == 75
    assert "never" not in out
    events = [json.loads(line) for line in err.splitlines()]
    assert events == [{"event": "power-cut", "write": 1, "torn": "half"}, {"flash_writes": 1}]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "nowhere"], "make a board with: dynreg board new nowhere"),
        (["new", "x", "--mac", "zz"], "is not a MAC"),
        (["new", "x", "--flash-size", "5000"], "multiple of 4K"),
        (["new", "x", "--flash-size", "big"], "is not a size"),
        (["new", "x", "--umqtt", "nowhere.py"], "is not a file"),
    ],
)
def test_errors_are_one_sentence(tmp_path, arguments, complaint):
    code, out, err = dev_board(arguments[0], tmp_path / arguments[1], *arguments[2:])
    complaint = complaint.replace(" new nowhere", f" new {tmp_path / 'nowhere'}")
    assert (code, out) == (1, "")
    assert err.startswith("dynreg: ")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_board_is_not_made_twice(board):
    code, _, err = dev_board("new", board.folder)
    assert code == 1
    assert "already holds a board" in err


def test_run_tells_of_the_access_point_and_not_its_password(tmp_path):
    board = Board.new(tmp_path / "b", wifi={})
    program = (
        "import network\np = network.WLAN(network.AP_IF)\np.active(True)\n"
        "p.config(ssid='lamp', key='a password', security=3)\n"
    )
    board.write_file("/main.py", program)
    command = [*CLI, "run", tmp_path / "b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        while lines[-1].get("ssid") != "lamp":  # it was on, open, for a moment
            lines.append(json.loads(process.stdout.readline()))
        process.terminate()
    point = lines[-1]
    assert point.keys() == {"event", "ssid", "http", "dns"}
    assert point["http"].startswith("http://127.0.0.1:")
    assert "a password" not in json.dumps(lines)


WRONG_POINT = """
import network
point = network.WLAN(network.AP_IF)
for on in (False, True):
    point.active(on)
    for settings in (
        {"ssid": "x" * (33 if on else 1)}, {"ssid": ""}, {"security": 3},
        {"key": "short", "security": 3}, {"key": "x" * 64, "security": 3}, {"nothing": 1},
    ):
        try:
            point.config(**settings)
            print("taken", on, settings)
        except (OSError, ValueError):
            pass
print("still", point.config("ssid"), point.config("security"))
"""


def test_an_access_point_refuses_what_esp_idf_does(tmp_path):
    board = Board.new(tmp_path / "b", wifi={})
    board.write_file("/main.py", WRONG_POINT)
    code, out, _ = dev_board("run", tmp_path / "b", "--once")
    assert code == 0
    assert "taken" not in out
    assert "still ESP_000000 0" in out
