"""Boards that run what they like, beside good ones, in one provision --all."""

import csv
import json

import pytest

from tests_host.fleet import terminal
from tests_host.fleet.conftest import environment

COMMAND = ("provision", "--all", "--virtual", "boards", "--report", "batch.csv")
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202e"
# In the place of the modules that the questions, and the library, import
JSON = f"""
import ujson
from ujson import loads
def dumps(value):
    return ujson.dumps(value).replace("24:6f", {"../../../evil" + ESCAPES!r}[:12] + "24:6f")
"""
ANOTHERS_REPORT = """
import sys
print('dynreg: ' + {report!r})
while True: pass
"""
FLOOD = """
import sys, time
forged = 'dynreg: ' + {report!r}
sys.stdout.write('x' * 4095)
for n in range(2000):
    sys.stdout.write(forged + 'y' * 200)
sys.stdout.write('\\n')
print({escapes!r}, '=cmd|1', 'dynreg: ' + {report!r})
print('dynreg: {{"mac": "../../evil", "device": 7, "unix_ms": 1e999}}')
print('dynreg: ' + '[' * 2000)
what = b'=HYPERLINK(1) \\xed\\xa0\\x80\\x1b[2J [network.dns]; again in 900 s'
sys.stdout.buffer.write(b'    0.100 ERROR ' + what + b'\\n')
while True: time.sleep(1)
"""


@pytest.fixture
def boards(bench):
    """b0 and b1 good; b2 answers a path for its MAC; b3 reports as b0; b4 floods."""
    made = [bench.board(f"b{n}") for n in range(5)]
    mac = made[0].unique_id.hex()
    report = {"mac": mac, "device": f"{bench.hub.product_id}esp32-{mac}", "error": None}
    report = json.dumps(report | {"stored": True, "connected": True, "fingerprint": "0badcafe"})
    made[2].write_file("/json.py", JSON)
    made[3].write_file("/requests.py", ANOTHERS_REPORT.format(report=report))
    made[4].write_file("/requests.py", FLOOD.format(report=report, escapes=ESCAPES))
    for board in made:
        bench.on(board)
    return made


@pytest.mark.ci
def test_the_good_ones_end_good(bench, boards):
    before = {path for path in bench.folder.parent.rglob("*") if bench.folder not in path.parents}
    env = environment() | {"TERM": "xterm-256color"}
    env.pop("COLUMNS")
    code, output = terminal.run(terminal.dynreg(*COMMAND), bench.folder, env)
    assert code == 1
    for part in ESCAPES[:-1].split("\x1b")[1:3]:
        assert "\x1b" + part not in output
    assert "\u202e" not in output
    text = (bench.folder / "batch.csv").read_text("utf-8")
    assert all(line.isprintable() for line in text.splitlines())
    with (bench.folder / "batch.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["port"].split("/")[1]: row for row in csv.DictReader(file)}
    outcomes = {name: row["error"] or row["outcome"] for name, row in sorted(rows.items())}
    assert outcomes == {
        "b0": "good",
        "b1": "good",
        "b2": "board.answer",
        "b3": "board.other",
        "b4": "network.dns",
    }
    assert rows["b4"]["message"].startswith("'=HYPERLINK(1)")
    assert rows["b0"]["fingerprint"] != "0badcafe"
    for line in (bench.folder / "batch.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line)["port"].startswith("boards/")
    after = {path for path in bench.folder.parent.rglob("*") if bench.folder not in path.parents}
    assert after == before
    assert {path.name for path in bench.folder.iterdir()} == {
        *("batch.csv", "batch.jsonl", "batch.logs", "boards", "certs", "device_info.json", "hub")
    }
