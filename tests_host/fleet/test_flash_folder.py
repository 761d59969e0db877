"""`dynreg flash --firmware FOLDER`: the right file for each chip, revision and flash size."""

import json
import os
from importlib import resources, util
from pathlib import Path

import pytest

from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.flashing import batchimage, choice, image, littlefs
from tests_host.commands import dynreg
from tests_host.fleet import batchfolder
from tests_host.fleet.firmware_file import firmware
from tests_host.fleet.romloader import RomLoader

MIB = 1 << 20
NEWEST = "ESP32_GENERIC-20260801-v1.29.0.bin"
REAL = "thonnycontrib.thonny_etboard_firmware"  # a package with two builds, where it is installed


@pytest.fixture
def folder(tmp_path):
    """Makes firmware files, name -> options of firmware(); a folder of them, read."""

    def make(files):
        for name, options in files.items():
            (tmp_path / name).write_bytes(firmware(**{"size": 300} | options))
        return choice.read(tmp_path)

    return make


def picked(given, chip, flash=4 * MIB, revision=0):
    return choice.pick("p", given, chip, flash, revision).path.name


def test_the_file_of_the_boards_chip_is_taken(folder):
    given = folder(
        {
            NEWEST: {},
            "ESP32_GENERIC-20251209-v1.27.0.bin": {"version": "v1.27.0"},
            "ESP32_GENERIC-SPIRAM-20260801-v1.29.0.bin": {},
            "ESP32_GENERIC-20260805-v1.29.0-preview.3.bin": {"version": "v1.29.0-preview.3"},
            "mine.bin": {"chip": "esp32c3"},
            "ESP32_GENERIC_S3-FLASH_4M.bin": {"chip": "esp32s3"},
            "ESP32_GENERIC_S3.bin": {"chip": "esp32s3", "flash": 8},
        }
    )
    assert picked(given, "ESP32") == NEWEST
    assert picked(given, "ESP32-C3") == "mine.bin"
    assert picked(given, "ESP32-S3", 4 * MIB) == "ESP32_GENERIC_S3-FLASH_4M.bin"
    assert picked(given, "ESP32-S3", 8 * MIB) == "ESP32_GENERIC_S3.bin"


def test_the_file_of_the_boards_revision_is_taken(folder):
    given = folder(
        {
            "ESP32_GENERIC_P4.bin": {"chip": "esp32p4", "revisions": (300, 399)},
            "ESP32_GENERIC_P4-PRE_REV3.bin": {"chip": "esp32p4", "revisions": (0, 199)},
        }
    )
    assert picked(given, "ESP32-P4", revision=301) == "ESP32_GENERIC_P4.bin"
    assert picked(given, "ESP32-P4", revision=100) == "ESP32_GENERIC_P4-PRE_REV3.bin"
    with pytest.raises(BoardError, match=r"the ESP32-P4 is of revision v2\.0, .* is for others"):
        picked(given, "ESP32-P4", revision=200)


@pytest.mark.parametrize(
    "files, chip, code, words",
    [
        ({"a.bin": {}, "b.bin": {}}, "ESP32", "flash.image", "which of a.bin, b.bin is for this"),
        (
            {"a.bin": {}},
            "ESP32-S3",
            "flash.chip",
            "a.bin is for ESP32: take the file for its chip",
        ),
        (
            {"a.bin": {"flash": 8}},
            "ESP32",
            "flash.size",
            "has 4096 KiB of flash, a.bin needs 8192",
        ),
    ],
)
def test_where_none_can_be_taken_nothing_is_written(folder, files, chip, code, words):
    with pytest.raises(BoardError) as error:
        picked(folder(files), chip)
    assert error.value.code == code
    assert words in str(error.value)
    assert "nothing was written" in str(error.value)


def test_boards_of_two_chips_from_one_folder(folder, tmp_path):
    folder({NEWEST: {}, "ESP32_GENERIC_C6.bin": {"chip": "esp32c6", "version": "v1.21.0"}})
    (tmp_path / "notes.bin").write_bytes(b"no firmware")
    with RomLoader() as one, RomLoader("esp32c6", mac="246f28000002") as other:
        command = ("flash", "--port", one.port, other.port, "--firmware", tmp_path, "--json")
        result = dynreg(*command, "--before", "no-reset")
        assert one.flash[0x1000] == other.flash[0] == 0xE9
    assert result.code == 0
    notes = {row["chip"]: row["notes"] for row in result.rows}
    assert notes["ESP32"][0] == f"{NEWEST}: MicroPython v1.29.0"
    assert notes["ESP32-C6"][0] == "ESP32_GENERIC_C6.bin: MicroPython v1.21.0"
    assert "is MicroPython v1.21.0, dynreg needs 1.22 or later" in notes["ESP32-C6"][1]
    assert not any("1.22" in note for note in notes["ESP32"])


def test_a_folder_without_firmware_is_one_sentence(tmp_path):
    result = dynreg("flash", "--port", "/dev/null", "--firmware", tmp_path)
    assert result.code == 1
    assert f"{tmp_path}: no .bin file in this folder" in result.err
    (tmp_path / "notes.bin").write_bytes(b"no firmware")
    result = dynreg("flash", "--port", "/dev/null", "--firmware", tmp_path)
    assert "notes.bin: is no ESP32 firmware image" in result.err
    assert result.err.count("\n") == 1


def real_builds() -> list[Path]:
    """Of that package, or of a folder that the environment names."""
    if "DYNREG_REAL_FIRMWARE" in os.environ:
        return sorted(Path(os.environ["DYNREG_REAL_FIRMWARE"]).rglob("*.bin"))
    try:
        found = util.find_spec(REAL)
    except ModuleNotFoundError:
        return []
    return sorted(Path(str(resources.files(REAL))).rglob("*.bin")) if found else []


@pytest.mark.parametrize("path", real_builds(), ids=lambda path: path.stem)
def test_a_real_build_is_read_and_makes_an_image(path, tmp_path):
    found = image.read(path)
    assert found.release > (1, 0)
    assert bool(found.warning) == (found.release < (1, 22))
    values = batchfolder.make_info(tmp_path)
    made = batchimage.make(found, batchfolder.content_of(tmp_path))
    (tmp_path / "batch.bin").write_bytes(made.data)
    again = batchimage.read(tmp_path / "batch.bin")
    assert json.loads(again.files["/device_info.json"]) == values
    blocks = littlefs.Files(littlefs.in_bytes(again.firmware.files)).blocks
    assert blocks * littlefs.BLOCK == found.table.file_system_size(found.declared_flash)
