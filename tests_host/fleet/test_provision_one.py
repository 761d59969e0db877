"""One board: what becomes of its secret, and each way in which it can fail."""

import json
import signal
import subprocess

import pytest

from tests_host.fleet import terminal
from tests_host.fleet.conftest import environment

ONE = ("provision", "--port", "boards/b0/port")


@pytest.fixture
def board(bench):
    return bench.board("b0")


def secret_on(board):
    return json.loads(board.read_file("/device_info.json"))["key_deviceinfo"]


@pytest.mark.ci
def test_a_registered_board_keeps_its_secret_whatever_is_deployed(bench, board):
    """Also when its second copy is lost: then the merged file is all there is."""
    with board.power_on() as running:
        running.wait_repl()
        bench.dynreg(*ONE, code=0)
    before = secret_on(board)
    (board.folder / "nvs.bin").unlink()
    bench.configure(note="another file")
    bench.on(board, wait=False)
    for command in (("deploy", *ONE[1:]), ("deploy", *ONE[1:], "--source"), ONE):
        bench.dynreg(*command, code=0)
    bench.power.close()
    assert secret_on(board) == before
    assert json.loads(board.read_file("/device_info.json"))["note"] == "another file"
    assert len(bench.events("registered")) == 1
    assert len(bench.hub.requests) == 1


def test_report_fields_of_the_board_are_taken_when_it_prints_them(bench, board):
    app = bench.folder / "app"
    app.mkdir()
    name = "esp32-" + board.unique_id.hex()
    report = {"device": "FLEETTESTS" + name, "stored": True, "connected": True, "error": None}
    report |= {"fingerprint": "0badcafe", "mac": board.unique_id.hex()}
    program = "print('the deviceSecret is: bm90IGEgcmVhbCBzZWNyZXQ=')\n"
    program += f"print('dynreg: ' + {json.dumps(report)!r})\n"
    (app / "main.py").write_text(program)
    bench.on(board)
    (row,) = bench.dynreg(*ONE, "--app", "app", "--json", "--report", "r.csv", code=0).rows
    log = (bench.folder / "r.logs" / f"{board.unique_id.hex()}.log").read_text()
    assert "the deviceSecret is: [hidden]\n" in log
    assert "Z dynreg: {" in log
    assert row["fingerprint"] == "0badcafe"
    assert row["device"] == name
    assert row["mac"] == board.mac


@pytest.mark.ci
@pytest.mark.parametrize(
    "program, code, words",
    [
        ("1/0\n", "no_report", "ZeroDivisionError"),
        ("raise ValueError('psk=c2VjcmV0IQ==')\n", "no_report", "ValueError: psk=[hidden]"),
        ("", "no_report", "INFO  wifi:"),  # the last that was heard
        ('print(\'dynreg: {"error": "config"}\')\n', "config", "names no reason"),
        ("print('dynreg: {\"error\": null}')\n", "not_connected", "names no reason"),
        ("import time\nwhile True: time.sleep(1)\n", "timeout", "no report"),
        (
            "print('    0.250 INFO  connect: CONNACK 0, psk')\n"
            "import time\nwhile True: time.sleep(1)\n",
            "no_report",
            "it has logged in, and its program prints no report",
        ),
        (
            "print('    0.100 WARN  wifi: no way [network.dns]; again in 2 s')\n"
            "import time\nwhile True: time.sleep(1)\n",
            "network.dns",
            "wifi: no way",
        ),
        ("print('dynreg: {cut')\n", "no_report", "{cut"),
    ],
)
def test_programs_that_do_not_get_there(bench, board, program, code, words):
    app = bench.folder / "app"
    app.mkdir()
    (app / "main.py").write_text(program)
    bench.on(board)
    result = bench.dynreg(*ONE, "--app", "app", "--timeout", "4", "--json")
    (row,) = result.rows
    assert result.code == 1
    assert row["outcome"] == "failed"
    assert row["error"] == code, row
    assert words in row["message"], row
    assert row["mac"] == board.mac
    assert not row["message"].startswith("boards/")


def test_a_cable_pulled_while_the_board_starts(bench, board):
    app = bench.folder / "app"
    app.mkdir()
    (app / "main.py").write_text("print('here')\nimport time\nwhile True: time.sleep(1)\n")
    running = bench.on(board)
    running.on_output(lambda text: "here" in text and running._loop.ask("unplug"))
    (row,) = bench.dynreg(*ONE, "--app", "app", "--json").rows
    assert row["error"] == "board.lost"
    assert "is the cable in" in row["message"]


def test_ctrl_c_in_the_middle(bench):
    boards = [bench.board(f"b{n}") for n in range(3)]
    power = [bench.on(board) for board in boards]
    process = subprocess.Popen(
        terminal.dynreg(
            *("provision", "--all", "--virtual", "boards", "--jobs", "2", "--report", "r.csv")
        ),
        cwd=bench.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while power[0].flash_writes < 20:
        power[0].wait_change(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert err == "dynreg: stopped by Ctrl-C; boards are in order, the same command goes on\n"
    command = ("provision", "--all", "--virtual", "boards", "--report", "r.csv")
    result = bench.dynreg(*command, code=0)
    assert result.out.splitlines()[-1] == "3 of 3 good, see r.csv"
