"""What a firmware file says of itself, before any board is touched."""

import pytest

from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.flashing import image as images
from dynreg_tools.boards.flashing.chips import chips
from dynreg_tools.boards.flashing.partitions import parse
from tests_host.fleet.firmware_file import FACTORY, NVS, STANDARD, firmware, image, table

CHIPS = {
    **{"esp32": 0x1000, "esp32s2": 0x1000, "esp32s3": 0, "esp32c3": 0, "esp32c6": 0},
    **{"esp32c2": 0, "esp32c5": 0x2000, "esp32p4": 0x2000},
}


def read(tmp_path, data):
    path = tmp_path / "firmware.bin"
    path.write_bytes(data)
    return images.read(path)


def wrong(tmp_path, data):
    with pytest.raises(BoardError) as error:
        read(tmp_path, data)
    assert error.value.code == "flash.image"
    assert str(error.value).startswith(str(tmp_path / "firmware.bin"))
    return str(error.value)


@pytest.mark.parametrize("chip", CHIPS)
def test_chip_offset_and_version_are_read_from_the_file(tmp_path, chip):
    found = read(tmp_path, firmware(chip))
    assert found.chip.name.lower().replace("-", "") == chip
    assert found.chip.offset == CHIPS[chip]
    assert found.version == "MicroPython v1.29.0"
    assert found.flash_needed == 4 << 20
    assert found.table.nvs.offset == NVS[0]
    assert found.table.file_system == 0x200000


def test_the_table_of_chips_is_esptools():
    from esptool.targets import CHIP_DEFS

    for name, chip in chips().items():
        known = CHIP_DEFS[name.lower().replace("-", "")]
        assert name == known.CHIP_NAME
        assert chip.chip_id == known.IMAGE_CHIP_ID
        assert chip.offset == known.BOOTLOADER_FLASH_OFFSET


@pytest.mark.parametrize("chip", ("esp32", "esp32s3"))
def test_all_but_nvs_is_written_unless_it_is_lost_anyway(tmp_path, chip):
    data = firmware(chip)
    found = read(tmp_path, data)
    start = found.chip.offset
    assert found.pieces(keep_nvs=False) == [(start, data)]
    pieces = found.pieces(keep_nvs=True)
    assert [(at, at + len(piece)) for at, piece in pieces] == [
        (start, NVS[0]),
        (NVS[0] + NVS[1], start + len(data)),
    ]
    assert all(piece == data[at - start : at - start + len(piece)] for at, piece in pieces)


def test_a_firmware_without_nvs_is_one_piece(tmp_path):
    data = bytearray(firmware("esp32c3"))
    data[0x8000:0x8C00] = table(FACTORY)
    assert read(tmp_path, bytes(data)).pieces(keep_nvs=True) == [(0, bytes(data))]


def test_what_is_no_firmware_is_refused_by_name(tmp_path):
    good = firmware("esp32")
    for data in (b"", b"\x7fELF" + good, b"UF2\n" + good, b"<!doctype html>"):
        assert "is no ESP32 firmware image" in wrong(tmp_path, data)
    assert "is for chip id 77" in wrong(tmp_path, good[:12] + b"\x4d\x00" + good[14:])
    assert "holds no partition table" in wrong(tmp_path, image("esp32", 70000))
    assert "holds no partition table" in wrong(tmp_path, good[:0x6000])
    with pytest.raises(BoardError, match="cannot be read: No such file"):
        images.read(tmp_path / "none.bin")


def test_a_file_merged_for_another_address_is_refused(tmp_path):
    output = wrong(tmp_path, b"\xff" * 0x1000 + firmware("esp32"))
    assert "is merged from address 0, firmware for ESP32 begins at 0x1000" in output
    data = firmware("esp32c3")
    moved = data[:0x7000] + data[0x8000:]
    assert "is merged for address 0x1000, firmware for ESP32-C3 begins at 0x0" in wrong(
        tmp_path, moved
    )


@pytest.mark.parametrize("chip", ("esp32", "esp32c6"))
def test_a_cut_or_damaged_download_is_refused(tmp_path, chip):
    data = firmware(chip)
    assert "its application is damaged or cut off" in wrong(tmp_path, data[:-1000])
    assert "its application is damaged or cut off" in wrong(tmp_path, data[:-1])
    for at, what in ((5000, "boot loader"), (len(data) - 5000, "application")):
        bad = bytearray(data)
        bad[at] ^= 1
        assert f"its {what} is damaged or cut off" in wrong(tmp_path, bytes(bad))


def test_what_moves_under_another_partition_table():
    ours = parse(table(*STANDARD, FACTORY))
    assert ours.moved(ours) == []
    with_files = parse(table(*STANDARD, FACTORY, ("vfs", 1, 0x81, 0x200000, 0x200000)))
    assert with_files.moved(ours) == ours.moved(with_files) == []  # 1.22 named what 1.29 implies
    ota = parse(
        table(
            ("nvs", 1, 2, 0x9000, 0x4000),
            ("otadata", 1, 0, 0xD000, 0x2000),
            ("phy_init", 1, 1, 0xF000, 0x1000),
            ("ota_0", 0, 0x10, 0x10000, 0x180000),
            ("ota_1", 0, 0x11, 0x190000, 0x180000),
        )
    )
    assert ours.moved(ota) == ["NVS", "the file system"]
    small = parse(table(*STANDARD, ("factory", 0, 0, 0x10000, 0x160000)))
    assert ours.moved(small) == ["the file system"]
    assert parse(b"\xff" * 0xC00) is None
