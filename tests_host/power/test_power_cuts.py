"""Power lost at every flash write of every way in which a credential is kept.

Each cut is one power-on of the virtual board: real MicroPython on a real littlefs or FAT, NVS
beside it, power gone at the Nth program or erase (or NVS commit), the block at hand left in one of
five states. Then the board is powered on again, with a fresh interpreter.
"""

import os
import re
import shutil

import pytest

from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.board import TORN
from tests_host.power.conftest import CERTIFICATE, KEY, SECRET, config

# Prints the state of the board, does what the scenario does, prints the state then. On the second
# power-on the same, so that what follows a cut is tried as well.
MAIN = """
from dynreg import Device, DynregError
from dynreg.storage import credentials, store
from dynreg.device import DeviceInfo

SECRET, PAIR = {secret!r}, ({certificate!r}, {key!r})

def state():
    try:
        device = Device()
    except DynregError as error:
        print("STATE", error.code)
        return None
    value = device.info.credential
    print("STATE", "none" if value is None else "right" if value in (SECRET, PAIR) else "WRONG")
    return device

device = state()
if device:
{action}
    info = DeviceInfo()  # as the action left it: loading would heal
    print("COPIES", credentials.in_file(info)[0], credentials.in_record(info)[0])
    state()
print("DONE")
"""

REGISTER = """
    if not device.registered:
        store.prepare(device.info)
        store.store(device.info, SECRET if device.info.mode == "KEY" else PAIR)
"""
DEPLOY = """
    store.replace("/device_info.json", {text!r}.encode())
    Device()
"""
FORGET = """
    Device.forget(confirm="POWERTESTS")
"""
BURN = """
    if credentials.both_good(device.info):
        store.burn(device.info)
"""
NOTHING = """
    pass
"""

# name: (device_info.json, steps done before with the power on, the action, states that may follow
# a cut, the states that the second power-on must reach)
SCENARIOS = {
    "store a secret": (config(), [], REGISTER, {"none", "right"}, "right"),
    "store a certificate": (config(auth_mode="CERT"), [], REGISTER, {"none", "right"}, "right"),
    "heal the second copy": (config(), [REGISTER], NOTHING, {"right"}, "right"),
    "heal the file": (config(), [REGISTER], NOTHING, {"right"}, "right"),
    "heal the file, certificate": (
        config(auth_mode="CERT"),
        [REGISTER],
        NOTHING,
        {"right"},
        "right",
    ),
    "forget": (config(), [REGISTER], FORGET, {"none", "right"}, "none"),
    "burn": (config(), [REGISTER], BURN, {"right"}, "right"),
    "copy a config over": (
        config(),
        [REGISTER],
        DEPLOY.format(text=config(region="europe")),
        {"right"},
        "right",
    ),
}


CORRUPTED = "filesystem appears to be corrupted"


def program(action):
    return MAIN.format(secret=SECRET, certificate=CERTIFICATE, key=KEY, action=action)


def run(board):
    """All that the board says on one power-on, up to its prompt or its despair."""
    with board.power_on() as running:
        while running.state != "up" and CORRUPTED not in running.output:
            running.wait_change(10)
        return running.output


def power_cycle_until_cut(board, number, torn):
    """(output, cut?) of a power-on that ends at its Nth flash write, if it gets there."""
    with board.power_on(power_cut=number, torn=torn) as running:
        while not running.power_lost and "DONE" not in running.output:
            running.wait_change(10)
        if not running.power_lost:
            running.wait_repl()
        return running.output, running.power_lost


def broken(output, board, main):
    """Whether the file system does not give back or take what lies on it."""
    if "DONE" not in output or "cannot be healed" in output or "STATE config" in output:
        return True
    return board.read_file("/main.py") != main.encode()


# A port without NVS: the second copy is a file.
NO_NVS = """
import sys

sys.modules["esp32"] = type("esp32", (), {})
"""


def redeploy(board, blank_board, text, main):
    """What a person does when FAT is broken: a new file system, all files anew. NVS stays."""
    shutil.copy(blank_board / "flash.img", board.folder / "flash.img")
    board.write_file("/device_info.json", text)
    board.write_file("/main.py", main)


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("fs", ["littlefs2", "fat"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_cut_point(board_with, blank, tmp_path, record_property, scenario, fs, torn):
    every_cut_point(board_with, blank, tmp_path, record_property, scenario, fs, torn, "NVS")


# FAT that loses its tables takes both copies with it where there is no NVS. The certificate's many
# cuts take minutes: all states of them with DYNREG_CUTS=1.
@pytest.mark.parametrize(
    "scenario,fs,torn",
    [
        (scenario, fs, torn)
        for scenario in SCENARIOS
        for fs, torn in [*(("littlefs2", torn) for torn in TORN), ("fat", "untouched")]
        if scenario != "store a certificate" or torn == "reordered" or "DYNREG_CUTS" in os.environ
    ],
)
def test_every_cut_point_without_nvs(
    board_with, blank, tmp_path, record_property, scenario, fs, torn
):
    every_cut_point(board_with, blank, tmp_path, record_property, scenario, fs, torn, "file")


def every_cut_point(board_with, blank, tmp_path, record_property, scenario, fs, torn, place):
    text, before, action, allowed, final = SCENARIOS[scenario]
    board = board_with(fs, {"/device_info.json": text})
    if place == "file":
        board.write_file("/boot.py", NO_NVS)
    for step in before:
        board.write_file("/main.py", program(step))
        output = run(board)
        assert "Traceback" not in output, output
        assert (place == "NVS") == (board.folder / "nvs.bin").exists()
    if scenario.startswith("heal the file"):
        board.write_file("/device_info.json", text)  # as a person copies a fresh one over it
    if scenario == "heal the second copy":
        if place == "NVS":
            (board.folder / "nvs.bin").unlink()
        else:
            board.write_file("/dynreg.rec", b"")
    board.write_file("/main.py", program(action))
    number = lost = 0
    while True:
        number += 1
        copy = tmp_path / "cut"
        shutil.copytree(board.folder, copy)
        trial = Board(copy)
        output, cut = power_cycle_until_cut(trial, number, torn)
        assert "WRONG" not in output, output
        assert "Traceback" not in output, output
        after = run(trial)
        if cut and fs == "fat" and torn != "untouched" and broken(after, trial, program(action)):
            lost += 1  # FAT keeps no second copy of its own tables
            states = set(re.findall(r"STATE (\S+)", after))
            # WRONG: it is main.py itself, which knows what is right, that is damaged.
            assert not states - allowed - {"config", "WRONG"}, after
            redeploy(trial, blank(fs), text, program(action))
            after = run(trial)
        where = f"{scenario}, {fs}, {torn}, cut {number}:\n{output}\n--- next power-on:\n{after}"
        assert "Traceback" not in after, where
        states = re.findall(r"STATE (\S+)", after)
        if cut:
            assert states[0] in allowed, where
        assert states[-1] == final, where
        if final == "right":
            assert "COPIES good good" in after, where
        shutil.rmtree(copy)
        if not cut:
            break
    record_property("cuts_in", f"{scenario}, {fs}" + (", no NVS" if place == "file" else ""))
    record_property("cut_points", number - 1)
    record_property("file_system_lost", lost)
    assert number > 1, "no flash write to cut at"
