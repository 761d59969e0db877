"""Power lost at every flash write while a Wi-Fi is stored: none, or the new one, and all else."""

import json

import pytest

from dynreg_tools.boards import content
from tests_host.power import cuts
from tests_host.power.conftest import CONFIG

MAIN = """
from dynreg.device import DeviceInfo
from dynreg.services import setup
from dynreg.services.setup import keep, settings

PATH = "/device_info.json"
print("HAS", DeviceInfo().wifi, setup.access_point())
# As settings.run() does before the access point opens, and Portal once the network is joined.
keep.keep(PATH, "setup", {"password": settings.load(PATH)["password"], "key": ""})
keep.keep(PATH, "wifi", {"ssid": "home", "password": "its password"})
print("DONE", DeviceInfo().wifi, setup.access_point())
"""
KEY = "a-key-of-the-batch"


def _without(board):
    values = json.loads(board.read_file("/device_info.json"))
    return {key: value for key, value in values.items() if key not in ("wifi", "setup")}


@pytest.mark.parametrize("fs", ["littlefs2", pytest.param("fat", marks=pytest.mark.slow)])
def test_every_cut_point(board_with, tmp_path, record_property, fs):
    torn = cuts.IN_TURN if fs == "littlefs2" else "untouched"
    text = json.dumps({**CONFIG, "setup": {"key": KEY}}, indent=2, ensure_ascii=False)
    board = board_with(fs, {"/main.py": MAIN, "/device_info.json": text})
    board.write_files(content.compiled_services(["setup"]))
    with board.power_on() as running:
        cuts.settle(running)
        (_, point) = running.output.split("HAS None ")
        point = point.split("\r\n")[0]
    board.write_file("/device_info.json", text)
    none, home = "None", "{'ssid': 'home', 'password': 'its password'}"

    def attempt(board, powers):
        for power in powers:
            with board.power_on(**power) as running:
                lost = cuts.settle(running)
        with board.power_on() as running:
            cuts.settle(running)
            said = running.output
        began = [line for line in said.splitlines() if line.startswith("HAS")]
        assert began in ([f"HAS {none} {point}"], [f"HAS {home} {point}"]), said
        assert f"DONE {home} {point}" in said, said
        assert KEY.encode() not in board.read_file("/device_info.json")
        assert _without(board) == CONFIG
        return lost

    count = cuts.every_cut(board.folder, tmp_path, attempt, torn)
    record_property("cuts_in", f"a Wi-Fi stored by services/setup, {fs}")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)
    assert count >= 6
