"""./dev as a newcomer meets it: help, exit codes, set-up that cannot go on."""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
from packaging.specifiers import SpecifierSet

from dynreg_tools import sources
from dynreg_tools.cli import COMMANDS

ROOT = sources.ROOT


def dev(*arguments, cwd=ROOT, python=sys.executable, **environment):
    return subprocess.run(
        [python, "dev", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_fits_one_screen_and_names_every_command():
    result = dev("--help", COLUMNS="80")
    lines = result.stdout.splitlines()
    assert result.returncode == 0
    assert len(lines) <= 40
    for command in (
        "demo",
        "test",
        "long",
        "fuzz",
        "soak",
        "lint",
        "hub",
        "board",
        "bench",
        "size",
        "package",
        "release",
        "setup",
    ):
        assert any(line.startswith(f"  {command} ") for line in lines)
    assert "./dev demo --json" in result.stdout


@pytest.mark.parametrize(
    ("command", "prog"),
    [
        ("long", "dev"),
        ("fuzz", "dev"),
        ("release", "dev"),
        ("lint", "dev"),
        ("docs", "dev"),
        ("hub", "dynreg"),
    ],
)
def test_a_command_has_help_with_an_example(command, prog):
    result = dev(command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: {prog} {command}")
    assert "example" in result.stdout


def test_it_has_every_command_of_dynreg():
    shown = dev("--help").stdout.split()
    assert set(COMMANDS) <= set(shown)


def test_kill_ends_the_hub_and_frees_its_ports():
    command = [sys.executable, "dev", "hub", "--cert-key", "ec", "--stop-after", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        port = int(ready["http"].rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), 5).close()
        process.terminate()
        assert process.wait(10) == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 5)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["hub", "--faults"], pytest.param(["demo"], marks=pytest.mark.slow)],
)
def test_a_reader_that_goes_away_gets_no_traceback(arguments):
    ours, theirs = os.pipe()
    os.close(ours)  # as `| head` leaves it
    result = subprocess.run(
        [sys.executable, "dev", *arguments],
        cwd=ROOT,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(theirs)
    assert result.returncode in (0, 1)  # argparse's help does not mind
    assert result.stderr == ""


def test_the_examples_have_their_fixtures_where_dynreg_is_not_installed():
    script = (
        "import runpy; dev = runpy.run_path('dev');"
        "dev['run'].__globals__['become'] = lambda *a: print(*a, sep='\\n');"
        "dev['run']('test', ['--fixtures', 'examples'])"
    )
    asked = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True)
    result = subprocess.run(
        [sys.executable, *asked.split(), "-n0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tools"},
        capture_output=True,
        text=True,
    )
    assert "virtual_board" in result.stdout


def test_an_unknown_command_is_a_usage_error():
    result = dev("fly")
    assert result.returncode == 2
    assert "fly" in result.stderr


@pytest.mark.parametrize("command", ["demo", "board", "soak", "long"])
def test_a_system_without_ptys_is_refused_with_a_message(tmp_path, command):
    shutil.copy(ROOT / "dev", tmp_path)
    script = (
        f"import sys, runpy; sys.modules['termios'] = None; sys.argv = ['dev', '{command}'];"
        "runpy.run_path('dev', run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "needs the pty of Linux or macOS" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_is_refused_with_the_version_needed(tmp_path):
    shutil.copy(ROOT / "dev", tmp_path)
    script = (
        "import sys, runpy; sys.version_info = (3, 10, 0); sys.argv = ['dev', 'demo'];"
        "runpy.run_path('dev', run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "Python 3.11 or later is needed" in result.stderr
    assert "Traceback" not in result.stderr


def test_each_pinned_package_takes_the_oldest_python_that_dev_takes():
    """Debian 12 has 3.11.2, and a package that wants 3.11.5 ends the set-up there."""
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9][\w.-]*)==([^ ]+)", lock, re.M))
    here = [d for d in importlib.metadata.distributions() if (d.name.lower(), d.version) in pinned]
    if not here:
        pytest.skip("none of the pinned packages is installed here")
    for package in here:
        wanted = package.metadata["Requires-Python"] or ""
        assert SpecifierSet(wanted).contains("3.11.0"), f"{package.name} wants Python {wanted}"


@pytest.mark.ci
def test_a_half_made_venv_is_made_anew_and_without_a_network_set_up_says_so(tmp_path):
    for name in ("dev", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    broken = tmp_path / ".venv" / "bin"
    broken.mkdir(parents=True)
    (broken / "python").write_text("#!/bin/sh\nexit 1\n")
    (broken / "python").chmod(0o755)
    result = dev("setup", cwd=tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "is there a network? Run the same command again" in result.stderr
    assert not (tmp_path / ".venv" / "dynreg-lock").exists()
    version = subprocess.run([broken / "python", "--version"], capture_output=True)
    assert version.returncode == 0
