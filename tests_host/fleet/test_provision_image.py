"""Boards from a batch's image: real esptool against the fake loader, then real MicroPython boots
from what was written, registers with the hub, and logs in.
"""

import csv
import json
from contextlib import ExitStack, contextmanager

import pytest

from dynreg_tools import sources
from dynreg_tools.testing.board import WIFI
from tests_host.fleet.boardflash import FILES
from tests_host.fleet.conftest import set_access_points
from tests_host.fleet.firmware_file import NVS, firmware
from tests_host.fleet.romloader import RomLoader
from tests_host.fleet.test_provision_loop import latest, line

FIRMWARE = firmware()
REPORT = ("--report", "batch.csv")


@pytest.fixture
def image(bench):
    """Makes batch.bin of the bench's files as they are."""

    def make(*arguments):
        (bench.folder / "firmware.bin").write_bytes(FIRMWARE)
        command = ("image", "--firmware", "firmware.bin", "--out", "batch.bin", *arguments)
        bench.dynreg(*command, code=0)

    make()
    return make


@contextmanager
def loaders(*boards, **how):
    """The boards with power, each behind a loader of its own; the loaders."""
    how = {"firmware": FIRMWARE} | how
    with ExitStack() as power:
        yield [
            power.enter_context(RomLoader(board=board, mac=board.unique_id.hex(), **how))
            for board in boards
        ]


def provision(bench, *roms, code=0, more=()):
    """The command on these boards; their rows by MAC."""
    ports = [rom.port for rom in roms]
    command = ("provision", "--port", *ports, "--image", "batch.bin", *REPORT, *more, "--json")
    result = bench.dynreg(*command, code=code)
    return {row["mac"]: row for row in result.rows}


def registered(bench, board):
    """The board with the image on it, registered by its first boot; its row."""
    with loaders(board) as roms:
        return provision(bench, *roms)[board.mac]


def flash(bench, board, *arguments, code=0):
    """`dynreg flash` on a board in its loader; its row, the loader."""
    with loaders(board, held=True) as (rom,):
        result = bench.dynreg("flash", "--port", rom.port, *arguments, "--json", code=code)
    return result.rows[0], rom


def test_boards_are_burnt_start_and_report(bench, image):
    boards = [bench.board(f"b{n}") for n in range(3)]
    with loaders(*boards) as roms:
        rows = provision(bench, *roms)
        firmware_too = [at for rom in roms for at, _ in rom.written if at < FILES]
        assert not firmware_too  # it was there already
    known = {device["name"]: device for device in bench.hub.devices()}
    for board in boards:
        row = rows[board.mac]
        assert row["outcome"] == "good"
        assert row["device"] == "esp32-" + board.unique_id.hex()
        assert known[row["device"]]["activated"]
        assert row["fingerprint"]
        info = json.loads(board.read_file("/device_info.json"))
        assert info["key_deviceinfo"]["deviceSecret"] == known[row["device"]]["psk"]
    with (bench.folder / "batch.csv").open(newline="") as file:
        assert {row["mac"] for row in csv.DictReader(file)} == set(rows)
    with loaders(*boards) as roms:
        again = provision(bench, *roms)
        assert not any(rom.written for rom in roms)
    assert {row["outcome"] for row in again.values()} == {"skipped"}
    assert {mac: row["fingerprint"] for mac, row in again.items()} == {
        mac: row["fingerprint"] for mac, row in rows.items()
    }
    assert len(bench.events("registered")) == 3


@pytest.mark.ci
def test_a_registered_board_gets_new_files_and_keeps_its_credential(bench, image):
    """The image replaces the first copy; the second, in NVS, is what the next start heals from."""
    board = bench.board("b0")
    before = registered(bench, board)
    bench.configure(note="new")
    image()
    with loaders(board) as (rom,):
        rows = provision(bench, rom, more=("--again",))
        assert all(at >= sum(NVS) for at, _ in rom.written)
    assert rows[board.mac]["outcome"] == "good"
    assert rows[board.mac]["fingerprint"] == before["fingerprint"]
    assert len(bench.events("registered")) == 1
    info = json.loads(board.read_file("/device_info.json"))
    assert info["note"] == "new"
    psk = bench.hub.devices()[0]["psk"]
    assert info["key_deviceinfo"]["deviceSecret"] == psk


@pytest.mark.ci
def test_a_program_of_a_persons_own_goes_only_where_that_was_said(bench, image):
    board = bench.board("b0")
    board.write_file("/main.py", "print('mine')\n")
    row, rom = flash(bench, board, "--image", "batch.bin", "--dry-run", code=1)
    assert row["error"] == "board.program"
    assert "a main.py of its own" in row["message"]
    assert not rom.written
    row, _ = flash(bench, board, "--image", "batch.bin", "--dry-run", "--force")
    assert "main.py of the board's own replaced, without a copy" in row["notes"]
    with loaders(board) as (rom,):
        rows = provision(bench, rom, code=1)
        assert rows[board.mac]["error"] == "board.program"
        rows = provision(bench, rom, more=("--force",))
        assert rows[board.mac]["outcome"] == "good"
        provision(bench, rom, more=("--again",))  # ours is nobody's own
    assert board.read_file("/main.py") == (sources.ROOT / "main.py").read_bytes()


@pytest.mark.ci
def test_what_would_lose_a_credential_is_refused(bench, image):
    board = bench.board("b0")
    name = registered(bench, board)["device"]
    burn = ("--image", "batch.bin")

    bench.configure(productId="ANOTHERONE")
    image()
    row, rom = flash(bench, board, *burn, code=1)
    assert row["error"] == "config.other"
    assert f"registered as FLEETTESTS/{name}, the image is for ANOTHERONE/" in row["message"]
    assert not rom.written

    bench.configure()
    image()
    row, rom = flash(bench, board, *burn, "--erase", code=1)
    assert row["error"] == "flash.registered"
    assert not rom.written

    (board.folder / "nvs.bin").unlink()  # the second copy
    row, rom = flash(bench, board, *burn, code=1)
    assert row["error"] == "flash.registered"
    assert "(/device_info.json)" in row["message"]
    assert "let its program run once, which makes a second copy in NVS" in row["message"]
    assert not rom.written
    with board.power_on() as running:
        running.wait_for("heartbeat: sent")
    row, rom = flash(bench, board, *burn, "--dry-run")
    assert row["credential"] == "kept"

    row, rom = flash(bench, board, *burn, "--erase", "--erase-registered", name)
    assert row["credential"] == "lost"
    assert rom.flash[slice(NVS[0], sum(NVS))] == b"\xff" * NVS[1]


@pytest.mark.ci
def test_a_board_without_its_network_fails_by_name_and_gets_no_second_firmware(bench, image):
    board = set_access_points(bench.board("b0"), {"another": "pw"})
    with loaders(board, firmware=b"") as (rom,):
        row = provision(bench, rom, code=1, more=("--timeout", "2"))[board.mac]
        places = [at for at, _ in rom.written]
        assert places[-4:] == [0x1000, sum(NVS), FILES + 8192, FILES]
    assert row["error"] == "network.wifi"
    assert row["device"] == "esp32-" + board.unique_id.hex()
    board = set_access_points(board, WIFI)
    with loaders(board) as (rom,):
        row = provision(bench, rom)[board.mac]
        assert all(at >= FILES for at, _ in rom.written)
    assert row["outcome"] == "good"


@pytest.mark.slow  # test_a_line_of_boards has one
@pytest.mark.parametrize("blocks", (2, 6, 7, 8, 9))
def test_a_cable_pulled_while_it_burns_and_the_same_command_again(bench, image, blocks):
    """In the firmware, and at the beginning and the end of the files."""
    board = bench.board("b0")
    with loaders(board, firmware=b"") as (rom,):
        rom.unplug_after = blocks
        row = provision(bench, rom, code=1)[board.mac]
        assert row["error"] == "flash.write"
        rom.unplug_after = None
        row = provision(bench, rom)[board.mac]
    assert row["outcome"] == "good"
    assert row["attempts"] == 2


@pytest.mark.ci
def test_a_deploy_after_an_image_finds_nothing_to_do(bench, image):
    board = bench.board("b0")
    registered(bench, board)
    port = bench.on(board, wait=False).port
    (row,) = bench.dynreg("deploy", "--port", port, "--dry-run", "--json", code=0).rows
    assert row["written"] == row["removed"] == []
    assert row["device_info"] in ("same", "kept")


def plug_in(bench, number, rom):
    """The loader's port is at plugs/NUMBER/port from now on, as a virtual board's own."""
    link = bench.folder / "plugs" / str(number) / "port"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(rom.port)
    return link


@pytest.mark.ci
@pytest.mark.parametrize("count, pulled", [(3, 1), pytest.param(8, 2, marks=pytest.mark.slow)])
def test_a_line_of_boards_some_of_them_pulled_in_the_middle(bench, image, count, pulled):
    boards = [bench.board(f"b{n}") for n in range(count)]
    with loaders(*boards, firmware=b"", held=True) as roms:
        links = [plug_in(bench, number, rom) for number, rom in enumerate(roms)]

        def pull(number):
            def on_data(blocks):
                if blocks == 8:  # in the files
                    links[number].unlink()
                    roms[number].unplug()

            return on_data

        for number in range(pulled):
            roms[number].on_data = pull(number)
        with line(bench, "--image", "batch.bin", "--virtual", "plugs", "--jobs", "4") as shift:
            good = set()
            while len(good) < count:
                row = shift.next()
                if row["outcome"] == "good":
                    good.add(row["mac"])
                    continue
                assert row["error"] in ("flash.write", "flash.lost")
                number = [board.mac for board in boards].index(row["mac"])
                assert number < pulled
                roms[number].plug_in()
                plug_in(bench, number, roms[number])
            assert shift.stop() == 0
    rows = latest(bench)
    assert {row["outcome"] for row in rows.values()} == {"good"}
    assert set(rows) == {board.mac for board in boards}
    assert sorted(bench.events("registered")) == sorted(row["device"] for row in rows.values())
