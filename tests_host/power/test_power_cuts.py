"""Power lost at every flash write of every way in which a credential is kept.

Each cut is one power-on of the virtual board: real MicroPython on a real littlefs or FAT, NVS
beside it, power gone at the Nth program or erase (or NVS commit). Then the board is powered on
again, with a fresh interpreter. `./dev test` tries each cut point in one state of the torn block,
`./dev long` in each.
"""

import re
import shutil

import pytest

from dynreg_tools.virtualboard.board import TORN
from tests_host.power import cuts
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


def run(board, **power):
    """(all that the board says on one power-on, up to its prompt or its despair; was it cut?)."""
    with board.power_on(**power) as running:
        lost = cuts.settle(running, CORRUPTED)
        return running.output, lost


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


@pytest.fixture
def before_cuts(board_with):
    """before_cuts(scenario, fs, place): the board, with all done that comes before the cuts."""

    def board(scenario, fs, place):
        text, before, action, *_ = SCENARIOS[scenario]
        board = board_with(fs, {"/device_info.json": text})
        if place == "file":
            board.write_file("/boot.py", NO_NVS)
        for step in before:
            board.write_file("/main.py", program(step))
            output, _ = run(board)
            assert "DONE" in output, output
            assert (place == "NVS") == (board.folder / "nvs.bin").exists()
        if scenario.startswith("heal the file"):
            board.write_file("/device_info.json", text)  # as a person copies a fresh one over it
        if scenario == "heal the second copy":
            if place == "NVS":
                (board.folder / "nvs.bin").unlink()
            else:
                board.write_file("/dynreg.rec", b"")
        board.write_file("/main.py", program(action))
        return board

    return board


def _marks(scenario, fs, place, state):
    certificate = scenario == "store a certificate"
    if state != cuts.IN_TURN or (certificate and place == "file"):
        return pytest.mark.slow
    usual = (fs, place) == ("littlefs2", "NVS") or scenario == "store a secret"
    return () if usual and not certificate else pytest.mark.ci


# FAT that loses its tables takes both copies with it where there is no NVS.
CASES = [
    pytest.param(scenario, fs, place, state, marks=_marks(scenario, fs, place, state))
    for scenario in SCENARIOS
    for fs, place in (("littlefs2", "NVS"), ("fat", "NVS"), ("littlefs2", "file"), ("fat", "file"))
    for state in (["untouched"] if (fs, place) == ("fat", "file") else [cuts.IN_TURN, *TORN])
]


@pytest.mark.parametrize(("scenario", "fs", "place", "torn"), CASES)
def test_every_cut_point(before_cuts, blank, tmp_path, record_property, scenario, fs, place, torn):
    text, _, action, allowed, final = SCENARIOS[scenario]
    lost_file_systems, outcomes = [], []

    def attempt(board, powers):
        said = []
        for power in powers:
            output, cut = run(board, **power)
            said.append(output)
            assert cut or "DONE" in output, output
            assert "WRONG" not in output, output
            assert "Traceback" not in output, output
        after, _ = run(board)
        outcomes.append(cuts.back_from(after))
        tears = fs == "fat" and any(power["torn"] != "untouched" for power in powers)
        if cut and tears and broken(after, board, program(action)):
            lost_file_systems.append(powers)  # FAT keeps no second copy of its own tables
            states = set(re.findall(r"STATE (\S+)", after))
            # WRONG: it is main.py itself, which knows what is right, that is damaged.
            assert not states - allowed - {"config", "WRONG"}, after
            redeploy(board, blank(fs), text, program(action))
            after, _ = run(board)
            outcomes[-1] = {"2": "N", "-": "F"}[cuts.back_from(after)]
        where = "\n--- next power-on:\n".join([*said, after])
        assert "Traceback" not in after, where
        states = re.findall(r"STATE (\S+)", after)
        if cut:
            assert states[0] in allowed, where
        assert states[-1] == final, where
        if final == "right":
            assert "COPIES good good" in after, where
        return cut

    board = before_cuts(scenario, fs, place)
    count = cuts.every_cut(board.folder, tmp_path, attempt, torn)
    assert count, "no flash write to cut at"
    record_property("cuts_in", f"{scenario}, {fs}" + (", no NVS" if place == "file" else ""))
    record_property("cut_points", count)
    record_property("file_system_lost", len(lost_file_systems))
    record_property("outcomes", "".join(outcomes[:count]))


def test_a_program_that_fails_ends_the_cuts_at_once(board_with, tmp_path):
    """And says how to try that cut again."""
    board = board_with("littlefs2", {"/main.py": "import no_such_module"})

    def attempt(board, powers):
        output, cut = run(board, **powers[0])
        assert cut or "DONE" in output, output
        return cut

    with pytest.raises(AssertionError, match="no module named 'no_such_module'") as failed:
        cuts.every_cut(board.folder, tmp_path, attempt, "half")
    (note,) = failed.value.__notes__
    assert "DYNREG_REPLAY=\"[(1, 'half')]\" pytest '" in note
    assert "test_a_program_that_fails" in note


def test_a_list_of_cuts_is_tried_alone(board_with, tmp_path, monkeypatch):
    writes = "open('/a', 'w').close()\nopen('/b', 'w').close()\nprint('DONE')\n"
    board = board_with("littlefs2", {"/main.py": writes})
    monkeypatch.setenv("DYNREG_REPLAY", "[(1, 'half'), (2, 'erased')]")
    seen = []

    def attempt(board, powers):
        for power in powers:
            seen.append((power["power_cut"], power["torn"], run(board, **power)[1]))
        return True

    assert cuts.every_cut(board.folder, tmp_path, attempt) == 1
    assert seen == [(1, "half", True), (2, "erased", True)]
