"""`dynreg flash` against the fake ROM loader (romloader.py): what esptool is told to do, and what
is refused before that. The board's own voice, its REPL, is in test_flash_registered.py.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dynreg_tools import cli
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.flashing.image import read
from dynreg_tools.boards.flashing.job import Job, Order
from tests_host.fleet.boardflash import FILES, partition, record_of
from tests_host.fleet.firmware_file import FACTORY, NVS, STANDARD, firmware, table
from tests_host.fleet.romloader import RomLoader

ROOT = Path(__file__).parents[2]
BY_HAND = ("--before", "no-reset", "--after", "no-reset")
MAC = "24:6f:28:00:00:01"
OFFSETS = {
    **{"esp32": 0x1000, "esp32s2": 0x1000, "esp32s3": 0, "esp32c3": 0, "esp32c6": 0},
    **{"esp32c2": 0, "esp32c5": 0x2000, "esp32p4": 0x2000},
}


@pytest.fixture
def file(tmp_path):
    def make(*arguments, **options):
        path = tmp_path / "firmware.bin"
        path.write_bytes(firmware(*arguments, **options))
        return path

    return make


@pytest.fixture
def flash(capsys):
    """Runs `dynreg flash`; (exit code, rows, its output)."""

    def run(*arguments):
        code = cli.main(["flash", "--json", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def untouched(rom):
    return not rom.written and not rom.erased


@pytest.mark.parametrize("stub", (True, False), ids=("stub", "rom"))
@pytest.mark.parametrize("chip", OFFSETS)
def test_every_chip_gets_its_file_at_its_offset(file, flash, chip, stub):
    path = file(chip)
    with RomLoader(chip) as rom:
        code, rows, _ = flash(
            "--port", rom.port, "--firmware", path, *BY_HAND, *(() if stub else ("--no-stub",))
        )
    data = path.read_bytes()
    (row,) = rows
    assert code == 0, row
    assert row["outcome"] == "flashed"
    assert row["mac"] == MAC
    assert row["credential"] == "none"
    assert row["chip"].lower().replace("-", "") == chip
    assert rom.flash[OFFSETS[chip] : OFFSETS[chip] + len(data)] == data
    assert rom.flash.count(0xFF) == len(rom.flash) - len(data) + data.count(0xFF)  # all else blank
    assert (0x10 in rom.commands) == stub  # deflated by the stub, plain by the ROM
    assert 0x13 in rom.commands  # MD5 of what is in flash


def test_nvs_and_files_are_not_touched(file, flash):
    path = file("esp32")
    with RomLoader("esp32") as rom:
        rom.flash[0x8000:0x8C00] = table(*STANDARD, FACTORY)
        preserved = [slice(NVS[0], sum(NVS)), slice(0x200000, len(rom.flash))]
        for place in preserved:
            rom.flash[place] = b"\x5a" * (place.stop - place.start)
        code, rows, _ = flash("--port", rom.port, "--firmware", path, *BY_HAND)
    assert code == 0, rows
    assert rows[0]["credential"] == "unknown"  # no whole application to be seen
    for place in preserved:
        assert rom.flash[place] == b"\x5a" * (place.stop - place.start)


def test_the_wrong_chips_file_is_refused_before_a_byte(file, flash):
    with RomLoader("esp32s3") as rom:
        code, (row,), _ = flash("--port", rom.port, "--firmware", file("esp32c3"), *BY_HAND)
        assert untouched(rom)
    assert code == 1
    assert row["outcome"] == "refused"
    assert row["error"] == "flash.chip"
    assert "the board is an ESP32-S3, firmware.bin is for ESP32-C3" in row["message"]


def test_a_chip_that_is_not_in_the_table_is_refused(file, flash):
    with RomLoader("esp32h2") as rom:
        code, (row,), _ = flash("--port", rom.port, "--firmware", file(), *BY_HAND)
        assert untouched(rom)
    assert code == 1
    assert row["error"] == "flash.chip"
    assert "firmware/boards.toml" in row["message"]


def test_a_flash_that_is_too_small_is_refused_before_a_byte(file, flash):
    with RomLoader("esp32", flash_size=2 << 20) as rom:
        code, (row,), _ = flash("--port", rom.port, "--firmware", file(), *BY_HAND)
        assert untouched(rom)
    assert code == 1
    assert row["error"] == "flash.size"
    assert "has 2048 KiB of flash, firmware.bin needs 4096" in row["message"]


def test_a_flash_cell_that_does_not_take_its_bit_is_found(file, flash):
    with RomLoader("esp32") as rom:
        rom.bad_byte = 0x10100
        code, (row,), _ = flash("--port", rom.port, "--firmware", file(), *BY_HAND)
    assert code == 1
    assert row["error"] == "flash.write"
    assert row["outcome"] == "failed"
    assert "flash it again" in row["message"]
    assert "MD5" in row["message"]


def test_a_cable_pulled_while_it_writes_is_reported_and_the_next_try_completes(file, flash):
    path = file()
    with RomLoader("esp32") as rom:
        rom.unplug_after = 2
        code, (row,), _ = flash("--port", rom.port, "--firmware", path, *BY_HAND)
        assert code == 1, row
        assert row["error"] == "flash.write", row
        rom.unplug_after = None
        code, (row,), _ = flash("--port", rom.port, "--firmware", path, *BY_HAND)
    assert code == 0, row
    data = path.read_bytes()
    assert rom.flash[0x1000 : 0x1000 + len(data)] == data


def test_a_port_without_a_loader_is_reported(file, flash, tmp_path):
    code, (row,), _ = flash("--port", tmp_path / "none", "--firmware", file(), *BY_HAND)
    assert code == 1
    assert row["error"] == "flash.loader"
    assert "hold BOOT" in row["message"]


def test_dry_run_writes_nothing(file, flash):
    with RomLoader("esp32") as rom:
        code, (row,), _ = flash("--port", rom.port, "--firmware", file(), "--dry-run", *BY_HAND)
        assert untouched(rom)
    assert code == 0
    assert row["outcome"] == "dry run"


def test_a_blank_board_is_erased_without_more_words(file, flash):
    with RomLoader("esp32") as rom:
        code, (row,), _ = flash("--port", rom.port, "--firmware", file(), "--erase", *BY_HAND)
        assert rom.erased
    assert code == 0
    assert row["credential"] == "none"
    assert [at for at, _ in rom.written][:1] == [0x1000]  # in one piece: nothing is to be kept


def application(project):
    """The first bytes of one, with esp_app_desc_t."""
    head = bytearray(b"\xe9" + bytes(31) + b"\x32\x54\xcd\xab" + bytes(12 + 64))
    head[80 : 80 + len(project)] = project
    return head


def test_another_firmware_without_our_record_is_erased_without_more_words(flash):
    with RomLoader("esp32") as rom:
        rom.flash[0x8000:0x8C00] = table(*STANDARD, FACTORY)
        rom.flash[0x10000 : 0x10000 + 112] = application(b"esp-at")
        rom.flash[slice(NVS[0], sum(NVS))] = partition({"wifi/credential": b"of another program"})
        code, (row,), _ = flash("--port", rom.port, "--erase", *BY_HAND)
        assert rom.erased
    assert code == 0
    assert row["outcome"] == "erased"
    assert row["credential"] == "none"


def test_micropython_that_does_not_talk_is_erased_only_by_name(flash):
    with RomLoader("esp32") as rom:
        rom.flash[0x8000:0x8C00] = table(*STANDARD, FACTORY)
        rom.flash[0x10000 : 0x10000 + 112] = application(b"")  # its builds have no name
        rom.flash[FILES : FILES + 9] = b"no files?"
        code, (row,), _ = flash("--port", rom.port, "--erase", *BY_HAND)
        assert code == 1
        assert row["error"] == "flash.registered"
        assert untouched(rom)
        assert "cannot be known" in row["message"]
        assert f"--erase-registered {MAC}" in row["message"]
        code, (row,), _ = flash(
            "--port",
            rom.port,
            "--erase",
            "--save-identity",
            "safe",
            "--erase-registered",
            MAC,
            *BY_HAND,
        )
        assert code == 1
        assert row["error"] == "flash.save"
        assert untouched(rom)
        code, (row,), _ = flash(
            "--port", rom.port, "--erase", "--erase-registered", "24:6F:28:00:00:01", *BY_HAND
        )
        assert code == 0
        assert rom.erased
        assert row["credential"] == "unknown"


@pytest.mark.parametrize("size", (60, 3500), ids=("secret", "certificate"))
def test_a_record_in_nvs_is_seen_without_the_boards_help(flash, size):
    record = record_of("PRODUCT123/lamp-1", "x" * size)
    with RomLoader("esp32") as rom:
        rom.flash[0x8000:0x8C00] = table(*STANDARD, FACTORY)
        rom.flash[slice(NVS[0], sum(NVS))] = partition({"a/b": b"c", "dynreg/credential": record})
        code, (row,), _ = flash("--port", rom.port, "--erase", *BY_HAND)
        assert code == 1
        assert row["error"] == "flash.registered"
        assert untouched(rom)
        assert "the credential of PRODUCT123/lamp-1 (NVS)" in row["message"]
        for wrong in ("lamp-2", "PRODUCT123", ""):
            code, (row,), _ = flash(
                "--port", rom.port, "--erase", "--erase-registered", wrong, *BY_HAND
            )
            assert code == 1
            assert untouched(rom)
        code, (row,), _ = flash(
            "--port", rom.port, "--erase", "--erase-registered", "lamp-1", *BY_HAND
        )
    assert code == 0
    assert rom.erased
    assert row["credential"] == "lost"


def test_a_firmware_that_moves_the_file_system_counts_as_erasing(file, flash):
    small = file(app=("factory", 0, 0, 0x10000, 0x160000))
    record = record_of("PRODUCT123/lamp-1", "x")
    with RomLoader("esp32") as rom:
        rom.flash[0x8000:0x8C00] = table(*STANDARD, FACTORY)
        rom.flash[slice(NVS[0], sum(NVS))] = partition({"dynreg/credential": record})
        code, (row,), _ = flash("--port", rom.port, "--firmware", small, *BY_HAND)
        assert code == 1
        assert untouched(rom)
        assert "this firmware, which moves the file system, would lose it" in row["message"]
        code, (row,), _ = flash(
            "--port", rom.port, "--firmware", small, "--erase-registered", "lamp-1", *BY_HAND
        )
    assert code == 0
    assert row["credential"] == "lost"


def test_many_boards_one_wrong(file, flash):
    path = file("esp32")
    chips = ("esp32", "esp32s3", "esp32", "esp32")
    roms = [RomLoader(chip, mac=f"246f2800000{n}") for n, chip in enumerate(chips)]
    ports = []
    for rom in roms:
        ports.append(rom.__enter__().port)
    try:
        code, rows, _ = flash("--port", *ports, "--jobs", "3", "--firmware", path, *BY_HAND)
    finally:
        for rom in roms:
            rom.__exit__()
    outcomes = {row["port"]: row["outcome"] for row in rows}
    assert code == 1
    assert [outcomes[port] for port in ports] == ["flashed", "refused", "flashed", "flashed"]
    assert untouched(roms[1])
    assert {row["mac"] for row in rows} == {rom.mac.hex(":") for rom in roms}


def test_ctrl_c_finishes_the_board_that_is_written_and_begins_no_other(file):
    path = file(size=200000)
    with RomLoader("esp32") as first, RomLoader("esp32", mac="246f28000002") as second:
        command = [sys.executable, "-m", "dynreg_tools", "flash", "--jobs", "1", *BY_HAND]
        command += ["--port", first.port, second.port, "--firmware", path]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        interrupted = threading.Event()

        def at(block):
            if block == 2 and not interrupted.is_set():
                interrupted.set()
                process.send_signal(2)

        first.on_data = at
        out, err = process.communicate(timeout=60)
    data = path.read_bytes()
    assert interrupted.is_set(), err
    assert process.returncode == 130, err
    assert first.flash[0x1000 : 0x1000 + len(data)] == data
    assert untouched(second)
    assert f"{first.port}  ESP32  {MAC}  flashed" in out
    assert out.endswith("\n1 of 2 good\n")
    assert "Traceback" not in err


def test_ctrl_c_before_the_first_byte_leaves_the_board_as_it_is(file):
    stop = threading.Event()
    stop.set()
    order = Order(read(file()), erase=True, before="no-reset", after="no-reset")
    with RomLoader("esp32") as rom:
        with pytest.raises(BoardError, match="stopped, nothing was written"):
            Job(rom.port, order, stop, lambda text, part: None).run()
        assert untouched(rom)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "--firmware (or --image) is missing: download ESP32_GENERIC for ESP32"),
        (("--erase", "--no-stub"), "--erase needs esptool's stub"),
        (("--erase", "--restore-identity", "safe"), "--restore-identity needs --firmware"),
        (("--firmware", "none.bin"), "none.bin: cannot be read: No such file"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(flash, arguments, words):
    code, rows, err = flash("--port", "/dev/null", *arguments)
    assert code == 1
    assert rows == []
    assert err.startswith("dynreg: ")
    assert words in err
    assert err.count("\n") == 1
