"""The pytest plugin's fixtures: what each gives, and that nothing of it is left behind."""

import builtins
import json
import socket
import sys
from urllib.request import urlopen

import pytest

from dynreg_tools import shims
from dynreg_tools.errors import ToolError
from dynreg_tools.testing.board import VirtualBoard
from dynreg_tools.testing.process import HubProcess

APP = """
import machine, utime, ujson
from dynreg import log
import beside
def told():
    return beside.WORD, machine.unique_id(), log.__name__
"""


def test_an_application_is_imported_on_cpython_and_gone_after_it(tmp_path):
    (tmp_path / "mine.py").write_text(APP)
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    before = list(sys.path), set(sys.modules), builtins.open
    undo = shims.install(tmp_path)
    mine = __import__("mine")
    assert mine.told() == ("beside", b"\x24\x6f\x28\x00\x00\x01", "dynreg.log")
    assert mine.ujson is json
    undo()
    left = {name.partition(".")[0] for name in set(sys.modules) - before[1]}
    assert not left & {"mine", "beside", "machine", "utime", "ujson", "dynreg", "textfiles"}
    assert (sys.path, builtins.open) == (before[0], before[2])


def test_files_of_one_application_share_their_modules(on_cpython, tmp_path):
    (tmp_path / "mine.py").write_text(APP)
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    beside = on_cpython(tmp_path / "beside.py")
    assert on_cpython(tmp_path / "mine.py").beside is beside
    with pytest.raises(FileNotFoundError):
        on_cpython(tmp_path / "none.py")


def test_a_hub_in_a_process_of_its_own(tmp_path):
    with HubProcess(tmp_path / "hub", "--product-id", "ABCDEFGHIJ") as hub:
        assert hub.ready["product_id"] == "ABCDEFGHIJ"
        assert hub.fault("mqtt-connack", "arg=3&times=2")["left"] == 2
        with urlopen(hub.ready["control"] + "/faults", timeout=10) as reply:
            (active,) = json.load(reply)["active"]
        assert active["name"] == "mqtt-connack"
        port = int(hub.ready["http"].rpartition(":")[2])
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_hub_that_cannot_start_says_why(tmp_path):
    with (
        pytest.raises(ToolError, match="the product id must be"),
        HubProcess(tmp_path / "hub", "--product-id", "not one"),
    ):
        pass


def test_the_fixture_gives_one(hub_process):
    assert hub_process.ready["ready"]


def test_a_blank_board_has_nothing_of_ours(blank_board):
    assert blank_board.listdir("/") == ["boot.py"]


def test_a_virtual_board_has_the_library_compiled_and_the_hubs_file(virtual_board, hub):
    assert virtual_board.board.listdir("/") == [
        *("boot.py", "certs", "device_info.json", "lib", "main.py"),
    ]
    assert "device.mpy" in virtual_board.board.listdir("/lib/dynreg")
    assert virtual_board.info()["productId"] == hub.product_id
    assert virtual_board.topic("event") == f"{hub.product_id}/{virtual_board.name}/event"


def test_what_a_test_has_started_ends_with_it(board_image, tmp_path, hub):
    with VirtualBoard.copy_of(board_image, tmp_path / "board", hub) as board:
        running = board.start()
        running.wait_for("register: ")
        pid = running.pid
        assert pid
    assert not (board.board.folder / "port").exists()
    assert board.board.listdir("/")  # its flash is at rest


def test_a_board_that_cannot_register_says_so(virtual_board, hub):
    hub.set_product(register_type=0)
    with pytest.raises(AssertionError, match="register"):
        virtual_board.register()
    assert virtual_board.board.read_file("/main.py") != b""


@pytest.mark.parametrize("hub_options", [{"product_id": "OPTIONTEST"}])
def test_a_hub_takes_options(hub):
    assert hub.product_id == "OPTIONTEST"


def test_faults_are_switched_and_counted(faults, hub):
    faults.on("http-page:503*2")
    with pytest.raises(OSError, match="503"):
        urlopen(hub.http + "/device/register", timeout=10)
    assert faults.triggered("http-page") == 1
    assert faults.off() == 1
    with pytest.raises(OSError, match=r"404|405"):
        urlopen(hub.http + "/device/register", timeout=10)
    assert faults.triggered("http-page") == 1
