"""What the dynreg command prints, word for word: in a pipe, and in two terminals.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/fleet/test_golden.py`.
"""

import os
import re
from pathlib import Path

import pytest

from dynreg_tools.sources import version
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
# Where a terminal shows something else than a pipe: (name, columns, what is done).
PROVISION = ("provision", *ALL, "--report", "batch.csv")
AT_A_TERMINAL = (
    ("provision-refused", 80, PROVISION),
    ("provision-refused", 120, PROVISION),
    ("provision", 80, PROVISION),
    ("provision-again", 120, PROVISION),
    *(
        (command, columns, (command, *ALL))
        for columns in (80, 120)
        for command in ("ports", "status", "doctor")
    ),
    ("deploy", 80, ("deploy", *ALL)),
)
LONG_PORTS = ("usb-hub-1", "usb-hub-2")  # boards/usb-hub-1/port: 21 characters
LONG_NAME = "thermostat-pro-batch-7-2026-{mac}"  # 40 with the MAC
WRONG = {
    "no-port": ("deploy", "--port", "none"),
    "no-folder": ("ports", "--virtual", "none"),
    "no-device-info": ("provision", "--port", "none", "--device-info", "none.json"),
    "no-csv": ("provision", "--port", "none", "--report", "device_info.json"),
    "no-report": ("provision", "--port", "none", "--report", "other.csv"),
    "no-main": ("deploy", *ONE, "--app", "certs"),
    "no-app": ("deploy", *ONE, "--app", "none"),
    "bad-jobs": ("deploy", *ONE, "--jobs", "0"),
    "init-filled-in": ("init",),
    "init-clear": ("init", "--file", "new.json", "--product-id", "A", "--product-secret", "B"),
    "init-missing": ("init", "--file", "new.json", "--product-id", "ABCDEFGHIJ"),
}
VARYING = (
    (r"localhost:\d+", "localhost:0"),
    (r"\d+\.\d+ s\b", "0.0 s"),
    (r"\b((?:good|failed|skipped|dry run)(?: +[a-z_.]+)? +)\d+\.\d\b", r"\g<1>0.0"),
    (r'"seconds": [\d.]+', '"seconds": 0.0'),
    (r"\d+\.\d KB", "0.0 KB"),
    (r'"bytes": \d+', '"bytes": 0'),
    (r'"(free_memory|registered_at|unix_ms)": \d+', r'"\1": 0'),
    (r"\b[0-9a-f]{8}\b", "00000000"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0000-00-00 00:00:00"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "0000-00-00T00:00:00Z"),
    (r"\d+ bytes", "0 bytes"),
    (r"1\.29\.\d", "1.29.0"),
    (rf"\b{re.escape(version())}\b", "0.0.0"),
)


def compare(name, code, out, err="", spaces=False):
    seen = f"exit {code}\n{out}{err}"
    for pattern, replacement in VARYING:
        seen = re.sub(pattern, replacement, seen)
    if not spaces:  # what a table pads for longer words goes with them
        seen = re.sub(r" {2,}", "  ", seen)
    seen = "\n".join(line.rstrip() for line in seen.splitlines()) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DYNREG_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(seen)
    expected = file.read_text()
    if code == 2:  # releases of argparse break and indent their lines differently
        seen, expected = " ".join(seen.split()), " ".join(expected.split())
    assert seen == expected


def two_boards(bench, names=tuple(MACS)):
    for name, mac in zip(names, MACS.values(), strict=True):
        bench.on(bench.board(name, mac=mac))


@pytest.mark.ci
def test_in_a_pipe(bench):
    two_boards(bench)
    for name, arguments in STEPS:
        result = bench.dynreg(*arguments)
        assert "\x1b" not in result.out + result.err
        compare(name, result.code, result.out, result.err)


@pytest.mark.ci
def test_in_a_terminal(bench):
    """Ports of 21 characters and names of 40; columns are dropped and rows stacked for them."""
    two_boards(bench, LONG_PORTS)
    bench.configure(deviceName=LONG_NAME)
    bench.hub.set_product(register_type=1)
    env = environment() | {"TERM": "xterm-256color"}
    env.pop("COLUMNS")
    for name, columns, arguments in AT_A_TERMINAL:
        if name == "provision":
            bench.hub.set_product(register_type=2)
        command = terminal.dynreg(*arguments)
        code, output = terminal.run(command, bench.folder, env, columns=columns)
        bench.check_secrets(output)
        shown = terminal.screen(output)
        drawn = [line for line in shown.splitlines() if ": " not in line]
        assert all(len(line) <= columns for line in drawn), shown
        for port, mac in zip(LONG_PORTS, MACS.values(), strict=True):
            assert f"boards/{port}/port" in shown
            if name not in ("doctor", "deploy"):
                assert mac in shown
                assert LONG_NAME.replace("{mac}", mac.replace(":", "")) in shown
        if name == "provision":
            assert "\x1b[32mgood" in output  # green
            assert "━" in output  # bars, gone in the end
            assert "1 of 2" in output
        compare(f"terminal-{columns}/{name}", code, shown, spaces=True)


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_is_reported_in_one_sentence(bench, name):
    (bench.folder / "other.csv").write_text("a,b\n1,2\n")
    result = bench.dynreg(*WRONG[name])
    assert result.code == (2 if name == "bad-jobs" else 1)
    if name != "bad-jobs" and not result.out:
        assert result.err.startswith("dynreg: ")
        assert result.err.count("\n") == 1
    compare("wrong-" + name, result.code, result.out, result.err)
