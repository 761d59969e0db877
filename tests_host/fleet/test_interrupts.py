"""Ctrl-C while a command talks to a board: the first one asks, the second one leaves."""

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest

from dynreg_tools.virtualboard.serialport import make_raw
from tests_host.fleet import terminal
from tests_host.fleet.conftest import environment
from tests_host.fleet.firmware_file import firmware

BY_HAND = ("--before", "no-reset")
LEFT = "dynreg: left at the second Ctrl-C, boards may be as they were then: run it again\n"


@pytest.fixture
def silent():
    """A port at which nobody answers: its other end, and its name."""
    ours, theirs = os.openpty()
    make_raw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def start(folder, *arguments):
    return subprocess.Popen(
        terminal.dynreg(*arguments),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_ctrl_c_does_not_wait_for_a_thread(tmp_path, silent):
    """esptool, which knows of no Ctrl-C, tries to connect for seconds."""
    (tmp_path / "fw.bin").write_bytes(firmware())
    process = start(tmp_path, "flash", "--port", silent[1], "--firmware", "fw.bin", *BY_HAND)
    os.read(silent[0], 1)  # esptool has begun
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err == LEFT


@pytest.mark.parametrize("command", ["ports", "deploy", "identity", "status"])
def test_the_first_ctrl_c_ends_it_in_order(bench, silent, command):
    words = {"identity": ("identity", "save", "safe")}.get(command, (command,))
    process = start(bench.folder, *words, "--port", silent[1], "--json")
    assert os.read(silent[0], 1) == b"\x03"  # it asks for the prompt
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "dynreg: stopped by Ctrl-C; boards are in order, the same command goes on\n"
    assert all(json.loads(line)["error"] == "interrupted" for line in out.splitlines())
