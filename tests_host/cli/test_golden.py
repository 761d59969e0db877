"""What the commands print, word for word, but for what differs from run to run.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/cli/test_golden.py`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynreg_tools.cli import COMMANDS
from dynreg_tools.sources import ROOT
from tests_host.commands import dynreg

GOLDEN = Path(__file__).parent / "golden"
ERRORS = {
    "hub-bad-product": ["hub", "--product-id", "bad id"],
    "hub-short-secret": ["hub", "--product-id", "ABCDEFGHIJ", "--product-secret", "short"],
    "hub-bad-port": ["hub", "--port-base", "99999"],
    "board-missing": ["board", "run", "no-such-board"],
}
DEV = ("", "long", "fuzz", "soak", "release")
OF_A_HUB = [
    f"hub {name}"
    for name in (
        *("devices", "send", "watch", "kick", "disable", "enable"),
        *("delete", "precreate", "faults", "product"),
    )
]
# What differs from run to run, and what stands in its place here.
VARYING = (
    (r"DEMO[0-9A-F]{6}", "DEMO000000"),
    (r"esp32-[0-9a-f]{12}", "esp32-000000000000"),
    (r"MAC [0-9a-f:]{17}", "MAC 00:00:00:00:00:00"),
    (r"credential [0-9a-f]{8}|secret [0-9a-f]{8}", "secret 00000000"),
    (r'"mac": "[0-9a-f]{12}"', '"mac": "000000000000"'),
    (r'"fingerprint": "[0-9a-f]{8}"', '"fingerprint": "00000000"'),
    (r"localhost:\d+", "localhost:0"),
    (r"/\S+/dynreg-demo-\w+", "FOLDER"),
    (r"/dev/pts/\d+|/dev/ttys\d+", "PORT"),
    (r"request_id=\S+", "request_id=0"),
    (r"192\.168\.4\.\d+", "192.168.4.0"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "0000-00-00 00:00:00"),
    (r"(?m)^(  board \|) +\d+\.\d{3} ", r"\1     0.000 "),
    (r'"unix_ms": \d+', '"unix_ms": 0'),
    (r"MicroPython \S+ on \d{4}-\d\d-\d\d", "MicroPython"),
    # A better time is asked for where the first was long on its way: as this machine is busy.
    (
        r"(?m)(/event qos=0 size=24\n)"
        r"(?:.*event=publish .*topic=\$sys.*\n(?:.*event=time_answered.*\n)?)+",
        r"\1",
    ),
    (r"(clock error ms) +-?\d+ +-?\d+", r"\1 0 0"),
    (r"(seconds) +\d+\.\d+ +\d+\.\d+", r"\1 0 0"),
)


def normal(text):
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    # Releases of argparse break and indent their lines differently.
    lines = [" ".join(line.split()) for line in text.splitlines()]
    text = "\n".join(line for line in lines if line)
    # A dict has no order on MicroPython.
    return re.sub(r"(?m)dynreg: \{(.*)\}", lambda m: " ".join(sorted(m[1].split(", "))), text)


def compare(name, code, out, err=""):
    seen = f"exit {code}\n{normal(out)}\n{normal(err)}\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DYNREG_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(seen)
    expected = file.read_text()
    if name == "help":  # releases of argparse wrap it differently
        seen, expected = " ".join(seen.split()), " ".join(expected.split())
    assert seen == expected


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_done(name):
    result = dynreg(*ERRORS[name])
    compare(name, result.code, result.out, result.err)


def test_help():
    """Of all commands, of ./dev and of dynreg, in one file."""
    pages = []
    wide = {**os.environ, "COLUMNS": "80"}
    for command in DEV:
        words = ["./dev", *command.split(), "--help"]
        out = subprocess.check_output([sys.executable, *words], cwd=ROOT, env=wide, text=True)
        pages += [" ".join(words), out]
    for command in ("", *COMMANDS, "board new", "board run", *OF_A_HUB):
        words = [*command.split(), "--help"]
        result = dynreg(*words)
        assert result.code == 0, command
        if command not in ("board new", "board run"):
            assert "--json" in result.out, command
            assert "example" in result.out or not command, command
        pages += ["dynreg " + " ".join(words), result.out]
    compare("help", 0, "\n".join(pages))
