"""What the dynreg command prints, word for word: in a pipe, and in a terminal of 80 columns.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/fleet/test_golden.py`.
"""

import os
import re
from pathlib import Path

import pytest

from tests_host.fleet import terminal
from tests_host.fleet.conftest import environment

GOLDEN = Path(__file__).parent / "golden"
MACS = {"b0": "24:6f:28:00:00:01", "b1": "24:6f:28:00:00:02"}
ALL = ("--all", "--virtual", "boards", "--jobs", "1")
ONE = ("--port", "boards/b0/port")
# name, what is done; in this order, since each finds what the one before has left
STEPS = (
    ("ports-blank", ("ports", "--virtual", "boards", "--jobs", "1")),
    ("deploy-dry-run", ("deploy", *ALL, "--dry-run")),
    ("deploy-which", ("deploy", "--virtual", "boards")),
    ("deploy", ("deploy", *ONE)),
    ("deploy-again", ("deploy", *ONE)),
    ("deploy-json", ("deploy", *ONE, "--json")),
    ("status-no-library", ("status", "--port", "boards/b1/port")),
    ("provision-dry-run", ("provision", *ALL, "--dry-run")),
    ("provision", ("provision", *ALL, "--report", "batch.csv")),
    ("provision-again", ("provision", *ALL, "--report", "batch.csv")),
    ("provision-json", ("provision", *ONE, "--json")),
    ("ports", ("ports", "--virtual", "boards", "--jobs", "1")),
    ("ports-json", ("ports", *ONE, "--json")),
    ("status", ("status", *ONE)),
    ("status-json", ("status", *ONE, "--json")),
    ("doctor", ("doctor", *ONE)),
    ("doctor-json", ("doctor", "--host-only", "--json")),
)
WRONG = {
    "no-port": ("deploy", "--port", "none"),
    "no-folder": ("ports", "--virtual", "none"),
    "no-device-info": ("provision", "--port", "none", "--device-info", "none.json"),
    "no-csv": ("provision", "--port", "none", "--report", "device_info.json"),
    "no-report": ("provision", "--port", "none", "--report", "other.csv"),
    "no-main": ("deploy", *ONE, "--app", "certs"),
    "bad-jobs": ("deploy", *ONE, "--jobs", "0"),
    "init-filled-in": ("init",),
    "init-clear": ("init", "--file", "new.json", "--product-id", "A", "--product-secret", "B"),
    "init-missing": ("init", "--file", "new.json", "--product-id", "ABCDEFGHIJ"),
}
VARYING = (
    (r"localhost:\d+", "localhost:0"),
    (r"\d+\.\d+ s\b", "0.0 s"),
    (r"\b(good|skipped|dry run) +\d+\.\d", r"\1 0.0"),
    (r'"seconds": [\d.]+', '"seconds": 0.0'),
    (r"\d+\.\d KB", "0.0 KB"),
    (r'"bytes": \d+', '"bytes": 0'),
    (r'"(free_memory|registered_at|unix_ms)": \d+', r'"\1": 0'),
    (r"\b[0-9a-f]{8}\b", "00000000"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0000-00-00 00:00:00"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "0000-00-00T00:00:00Z"),
    (r"\d+ bytes", "0 bytes"),
    (r"1\.29\.\d", "1.29.0"),
)


def compare(name, code, out, err=""):
    seen = f"exit {code}\n{out}{err}"
    for pattern, replacement in VARYING:
        seen = re.sub(pattern, replacement, seen)
    # what a table pads for longer words goes with them
    seen = "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in seen.splitlines()) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DYNREG_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(seen)
    expected = file.read_text()
    if code == 2:  # releases of argparse break and indent their lines differently
        seen, expected = " ".join(seen.split()), " ".join(expected.split())
    assert seen == expected


def two_boards(bench):
    for name, mac in MACS.items():
        bench.on(bench.board(name, mac=mac))


def test_in_a_pipe(bench):
    two_boards(bench)
    for name, arguments in STEPS:
        result = bench.dynreg(*arguments)
        assert "\x1b" not in result.out + result.err
        compare(name, result.code, result.out, result.err)


def test_in_a_terminal(bench):
    two_boards(bench)
    env = environment() | {"TERM": "xterm-256color"}
    env.pop("COLUMNS")
    for name, arguments in STEPS:
        code, output = terminal.run(terminal.dynreg(*arguments), bench.folder, env)
        bench.check_secrets(output)
        shown = terminal.screen(output)
        drawn = [line for line in shown.splitlines() if line[:1] != "{" and ": " not in line]
        assert all(len(line) <= 80 for line in drawn), shown
        if name == "provision":
            assert "\x1b[32mgood" in output  # green
            assert "━" in output  # bars, gone in the end
            assert "1 of 2" in output
        compare("terminal/" + name, code, shown)


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_reported_in_one_sentence(bench, name):
    (bench.folder / "other.csv").write_text("a,b\n1,2\n")
    result = bench.dynreg(*WRONG[name])
    assert result.code == (2 if name == "bad-jobs" else 1)
    if name != "bad-jobs" and not result.out:
        assert result.err.startswith("dynreg: ")
        assert result.err.count("\n") == 1
    compare("wrong-" + name, result.code, result.out, result.err)
