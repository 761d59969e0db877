"""The demo, run once as a newcomer does: what it shows, and its last line for programs."""

import json
import os
import re
import subprocess
import sys

import pytest

from dynreg_tools import console, demo
from dynreg_tools.commands.demo import show
from dynreg_tools.sources import ROOT
from tests_host.cli.test_golden import compare
from tests_host.commands import dynreg
from tests_host.modes import readable


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder that the demo keeps."""
    return tmp_path_factory.mktemp("kept") / "dynreg-demo-kept"


@pytest.fixture(scope="module")
def shown(kept):
    """(the lines of `./dev demo --json` but for the last, what the last says)."""
    done = subprocess.run(
        [sys.executable, "dev", "demo", "--json", "--keep", kept],
        umask=0,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines(keepends=True)
    return "".join(lines).replace(str(kept.parent), "/tmp"), json.loads(last)


@pytest.mark.ci
def test_the_summary_is_one_json_object(shown):
    summary = shown[1]
    assert set(summary) == {
        "device",
        "first_boot",
        "second_boot",
        "secret_stored",
        "secret_in_log",
    }
    for boot in ("first_boot", "second_boot"):
        seen = summary[boot]
        assert set(seen) == {
            "registered",
            "connected",
            "clock_set",
            "clock_error_ms",
            "tls",
            "seconds",
        }
        assert seen["connected"]
        assert seen["clock_set"]
        assert seen["tls"] in ("verified-ca", "psk")
        assert abs(seen["clock_error_ms"]) <= 1000  # how right it is depends on the machine
    assert summary["first_boot"]["registered"]
    assert not summary["second_boot"]["registered"]
    assert summary["secret_stored"] is True
    assert summary["secret_in_log"] is False


def test_each_step_shows_on_either_boot(shown):
    for step in demo.STEPS:
        assert len(re.findall(step, shown[0])) >= 2, step


def test_what_it_prints(shown, capsys):
    """As without --json: the lines, then the summary as a table."""
    show(shown[1], console.Console())
    compare("demo", 0, shown[0] + capsys.readouterr().out)


def test_nothing_of_it_is_readable_by_others(shown, kept):
    assert {path.name for path in kept.iterdir()} == {"hub", "board"}
    assert readable(kept) == {}


@pytest.mark.ci
def test_it_fails_in_one_sentence_with_exit_1(tmp_path):
    broken = tmp_path / "simple.py"
    broken.write_text("raise ImportError('this firmware has no umqtt')\n")
    result = dynreg("demo", "--umqtt", broken)
    assert result.code == 1
    assert result.err.startswith("dynreg: ")
    assert "Traceback" not in result.err
