"""A damaged file system: told as such, with the way back, and nothing is written."""

import json
import shutil
import threading
from contextlib import closing

import pytest

from dynreg_tools.boards import booting, faults, identityfile
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.lines import Lines
from dynreg_tools.virtualboard import Board
from tests_host.fleet.batchfolder import make_info

ONE = ("--port", "boards/b0/port")


@pytest.mark.parametrize(
    "line, code",
    [
        ("OSError: [Errno 5] EIO", "board.filesystem"),
        ("OSError: 84", "board.filesystem"),
        ("OSError: [Errno 19] ENODEV", "board.filesystem"),
        ("OSError: [Errno 28] ENOSPC", "board.full"),
        ("OSError: 28", "board.full"),
        ("OSError: [Errno 2] ENOENT", "board.exception"),
        ("OSError: 284", "board.exception"),
        ("OSError: -84", "board.exception"),
        ("ValueError: 5", "board.exception"),
        ("", "board.exception"),
        ("\r\n \r\n", "board.exception"),
    ],
)
def test_the_last_line_of_a_traceback_says_what_is_wrong(line, code):
    error = faults.error("port", f"Traceback (most recent call last):\r\n{line}\r\n".encode())
    assert error.code == code
    assert faults.error("port", line).code == code


@pytest.mark.parametrize("words", ["UnicodeError: ", "RuntimeError: maximum recursion depth"])
def test_folders_that_make_no_sense_are_damage(words):
    assert faults.of_listing(faults.error("port", words), "port").code == "board.filesystem"


@pytest.fixture
def registered(bench):
    """A board that is registered, switched off."""
    board = bench.board("b0")
    with board.power_on() as running:
        running.wait_repl()
        bench.dynreg("provision", *ONE, code=0)
    return Board(board.folder)


def damage(board):
    """Both copies of littlefs's superblock are gone, which is no blank flash either."""
    with (board.folder / "flash.img").open("r+b") as file:
        file.write(bytes(2 * 4096))


@pytest.mark.ci
@pytest.mark.credential_over_the_cable
def test_a_board_that_does_not_mount(bench, registered):
    secret = json.loads(registered.read_file("/device_info.json"))["key_deviceinfo"]
    damage(registered)
    running = bench.on(registered, wait=False)
    running.wait_for(faults.CORRUPTED)
    for command in (("deploy", *ONE), ("provision", *ONE), ("ports", *ONE)):
        (row,) = bench.dynreg(*command, "--json", code=1).rows
        assert row["error"] == "board.filesystem"
        assert "dynreg flash --firmware" in row["what_to_do"]
    assert running.flash_writes == 0
    # what NVS holds is saved, and makes the erased board itself again
    bench.dynreg("identity", "save", "safe", *ONE, code=0)
    bench.power.close()
    shutil.rmtree(registered.folder)
    bench.on(bench.board("b0", mac=registered.mac))
    bench.dynreg("identity", "restore", "safe", *ONE, code=0)
    bench.dynreg("provision", *ONE, code=0)
    bench.power.close()
    after = json.loads(Board(registered.folder).read_file("/device_info.json"))
    assert after["key_deviceinfo"]["deviceSecret"] == secret["deviceSecret"]
    assert bench.events("registered") == ["esp32-" + registered.unique_id.hex()]


def test_a_board_that_stops_at_its_start(tmp_path):
    """As after a deploy: no report will ever come."""
    board = Board.new(tmp_path / "board")
    damage(board)
    with board.power_on() as running, closing(Lines(running.port)) as lines:
        with pytest.raises(BoardError) as caught:
            booting.watch(lines, 20, threading.Event(), lambda _text, _part: None)
        assert caught.value.code == "board.filesystem"


def test_files_that_a_fat_does_not_give(bench):
    board = Board.new(bench.folder / "boards" / "b0", fs="fat", wifi={})
    make_info(bench.folder / "held")
    board.write_file("/device_info.json", (bench.folder / "held/device_info.json").read_bytes())
    with (board.folder / "flash.img").open("r+b") as file:
        file.seek(512)
        file.write(b"\xff\xff\xff\xff" + b"\x01" * 1020)  # chains of the allocation table
    running = bench.on(board)
    (row,) = bench.dynreg("deploy", *ONE, "--json", code=1).rows
    assert row["error"] == "board.filesystem"
    assert running.flash_writes == 0


def test_identity_file_is_the_boards(tmp_path):
    assert identityfile.file_path(tmp_path, "246f28000001").parent == tmp_path
