"""A batch's image: made, read by software that is not ours, burnt, booted."""

import json
import stat
import subprocess
import sys

import pytest
from littlefs import LittleFS, UserContext

from dynreg_tools import sources
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.flashing import batchimage, image, littlefs
from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import batchfolder
from tests_host.fleet.boardflash import FILES
from tests_host.fleet.firmware_file import FACTORY, NVS, firmware
from tests_host.fleet.romloader import RomLoader

MIB = 1 << 20
VFS = ("vfs", 1, 0x81, 0x200000, 0x200000)


@pytest.fixture
def folder(tmp_path):
    """A batch's folder, with firmware.bin in it."""
    batchfolder.make_info(tmp_path, deviceName="lamp-{mac}")
    (tmp_path / "firmware.bin").write_bytes(firmware())
    return tmp_path


def make(folder, *arguments, code=0):
    result = dynreg(
        *("image", "--firmware", "firmware.bin", "--out", "batch.bin", *arguments), cwd=folder
    )
    assert result.code == code, result
    return result


def files_of(folder):
    """All that deploy would bring to a blank board, device_info.json as its values."""
    files = batchfolder.files_of(batchfolder.content_of(folder))
    return files | {"/device_info.json": json.loads((folder / "device_info.json").read_text())}


def parsed(files):
    return files | {"/device_info.json": json.loads(files["/device_info.json"])}


def test_an_image_is_the_firmware_and_the_files_behind_it(folder):
    (row,) = make(folder, "--json").rows
    data = (folder / "batch.bin").read_bytes()
    given = (folder / "firmware.bin").read_bytes()
    assert row["bytes"] == len(data)
    assert row["files_at"] == FILES
    assert data.startswith(given)
    assert not data[len(given) : FILES - 0x1000].strip(b"\xff")
    nvs = data[NVS[0] - 0x1000 : sum(NVS) - 0x1000]
    assert nvs == b"\xff" * NVS[1]
    found = batchimage.read(folder / "batch.bin")
    assert parsed(found.files) == files_of(folder)
    assert row["files"] == {path: len(data) for path, data in found.files.items()}
    assert found.owner("0123456789ab") == "ABCDEFGHIJ/lamp-0123456789ab"
    assert found.library == sources.version()
    assert stat.S_IMODE((folder / "batch.bin").stat().st_mode) == 0o600


@pytest.mark.ci
def test_the_same_files_give_the_same_bytes(folder):
    make(folder)
    first = (folder / "batch.bin").read_bytes()
    make(folder)
    assert (folder / "batch.bin").read_bytes() == first


def test_esptool_knows_the_image(folder):
    make(folder)
    command = [sys.executable, "-m", "esptool", "image-info", str(folder / "batch.bin")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Detected image type: ESP32" in said
    assert "Flash size: 4MB" in said
    assert "(valid)" in said


@pytest.mark.ci
def test_littlefs_of_its_own_makers_reads_the_files(folder):
    """With their defaults, and the whole partition behind it full of old data."""
    make(folder)
    system = (folder / "batch.bin").read_bytes()[FILES - 0x1000 :]
    partition = bytearray(system.ljust(2 * MIB, b"\x5a"))
    mounted = LittleFS(UserContext(buffer=partition), block_size=4096, block_count=512)
    found = {
        f"{path.rstrip('/')}/{name}": mounted.open(f"{path}/{name}", "rb").read()
        for path, _, names in mounted.walk("/")
        for name in names
    }
    assert parsed(found) == files_of(folder)
    assert mounted.fs_stat().disk_version == 0x20000


@pytest.mark.ci
@pytest.mark.parametrize("old", (b"\xff", b"\x5a"), ids=("erased", "old data"))
def test_micropython_mounts_the_files_and_writes_on(folder, old):
    make(folder)
    board = Board.new(folder / "board")
    system = (folder / "batch.bin").read_bytes()[FILES - 0x1000 :]
    (folder / "board" / "flash.img").write_bytes(system.ljust(2 * MIB, old))
    board.write_files({f"/log/{n}": b"x" * 5000 * n for n in range(8)})
    wanted = files_of(folder)
    for path in ("/lib/dynreg/__init__.mpy", "/lib/dynreg/mqtt/session.mpy", "/main.py"):
        assert board.read_file(path) == wanted[path]
    assert json.loads(board.read_file("/device_info.json")) == wanted["/device_info.json"]
    assert board.read_file("/log/7") == b"x" * 35000


def test_small_files_are_whole(folder):
    """MicroPython keeps a file of up to its cache in the folder's block: no larger one may be."""
    sizes = (0, 1, 31, 127, 128, 129, 511, 512, 513, 4095, 4096, 4097)
    files = {f"/f{size}": bytes(n % 251 for n in range(size)) for size in sizes}
    board = Board.new(folder / "board")
    system = littlefs.build(files, 512)
    (folder / "board" / "flash.img").write_bytes(system.ljust(2 * MIB, b"\xff"))
    for path, data in files.items():
        assert board.read_file(path) == data


@pytest.mark.ci
def test_a_program_of_its_own_and_certificates_are_in_it(folder):
    (folder / "app").mkdir()
    (folder / "app" / "main.py").write_text("print('mine')")
    (folder / "app" / "pictures").mkdir()
    (folder / "app" / "pictures" / "one.raw").write_bytes(b"\0" * 9000)
    (folder / "certs").mkdir()
    (folder / "certs" / "hub.der").write_bytes(b"der")
    make(folder, "--app", "app", "--source")
    files = batchimage.read(folder / "batch.bin").files
    assert files["/main.py"] == b"print('mine')"
    assert files["/pictures/one.raw"] == b"\0" * 9000
    assert files["/certs/hub.der"] == b"der"
    assert files["/boot.py"] == (ROOT / "boot.py").read_bytes()
    assert files["/lib/dynreg/port.py"] == (ROOT / "lib/dynreg/port.py").read_bytes()


@pytest.mark.ci
@pytest.mark.parametrize(
    "app, size, flash, blocks",
    [
        (FACTORY, None, 4 * MIB, 512),
        (FACTORY, "16MB", 16 * MIB, 3584),
        (("factory", 0, 0, 0x10000, 0x160000), "4MB", 4 * MIB, 656),
    ],
)
def test_the_partition_reaches_to_the_end_of_the_flash(folder, app, size, flash, blocks):
    """MicroPython makes it so at boot where its table has none."""
    (folder / "firmware.bin").write_bytes(firmware(app=app))
    (row,) = make(folder, "--json", *(["--flash-size", size] if size else [])).rows
    found = batchimage.read(folder / "batch.bin")
    system = littlefs.Files(littlefs.in_bytes(found.firmware.files))
    assert (row["flash_size"], row["files_at"]) == (flash, app[3] + app[4])
    assert system.blocks == blocks
    assert found.flash == flash


@pytest.mark.ci
def test_a_partition_of_the_table_is_for_any_flash_that_is_large_enough(folder):
    (folder / "firmware.bin").write_bytes(firmware(more=(VFS,)))
    make(folder, "--flash-size", "16MB")
    found = batchimage.read(folder / "batch.bin")
    assert littlefs.Files(littlefs.in_bytes(found.firmware.files)).blocks == 512
    assert found.flash is None


def test_firmware_with_the_library_in_it_gets_none(folder):
    data = firmware(version="v1.29.0 on 2026-08-01\0dynreg/__init__.py\0")
    (folder / "firmware.bin").write_bytes(data)
    (row,) = make(folder, "--json").rows
    assert set(row["files"]) == {"/boot.py", "/main.py", "/device_info.json"}
    assert "is part of this firmware" in row["notes"][0]


def test_old_firmware_is_told(folder):
    (folder / "firmware.bin").write_bytes(firmware(version="v1.16"))
    (row,) = make(folder, "--json").rows
    assert "lib/ goes as source" in row["notes"][0]
    assert "firmware.bin is MicroPython v1.16, dynreg needs 1.22 or later" in row["notes"][1]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"deviceName": "lamp-1"}, "deviceName is the same for every board"),
        (
            {"key_deviceinfo": {"deviceSecret": "SWYgeW91IGNhbiByZWFkIHRoaXM="}},
            "key_deviceinfo.deviceSecret is filled in, which is one board's own",
        ),
        ({"productSecret": "YOUR_PRODUCT_SECRET"}, "productSecret is not filled in"),
    ],
)
def test_a_file_for_one_board_makes_no_image(folder, changes, words):
    batchfolder.make_info(folder, **{"deviceName": "lamp-{mac}"} | changes)
    result = make(folder, code=1)
    assert words in result.err
    assert result.err.count("\n") == 1
    assert "SWYgeW91" not in result.err
    assert not (folder / "batch.bin").exists()


@pytest.mark.ci
def test_what_cannot_be_an_image_is_one_sentence(folder):
    (folder / "app").mkdir()
    (folder / "app" / "main.py").write_text("1")
    (folder / "app" / "large").write_bytes(b"\0" * 2 * MIB)
    for arguments, words in (
        (("--app", "app"), "have no room behind it in 4096 KiB of flash"),
        (("--flash-size", "2MB"), "needs 4096 KiB of flash, --flash-size says 2048"),
        (("--firmware", "none.bin"), "none.bin: cannot be read"),
        (("--out", "firmware.bin"), "firmware.bin: is the firmware: give --out another name"),
        (("--out", "none/batch.bin"), "none/batch.bin: cannot be written: No such file"),
    ):
        result = make(folder, *arguments, code=1)
        assert words in result.err
        assert result.err.count("\n") == 1
    make(folder)
    result = make(folder, "--firmware", "batch.bin", "--out", "other.bin", code=1)
    assert "has files already" in result.err
    (folder / "firmware.bin").write_bytes(firmware(more=(("ffat", *VFS[1:]),)))
    assert "keeps its files on FAT" in make(folder, code=1).err


@pytest.mark.ci
@pytest.mark.parametrize("what", ("cut", "bit", "none", "superblock"))
def test_an_image_that_is_not_whole_is_refused(folder, what):
    make(folder)
    path = folder / "batch.bin"
    data = bytearray(path.read_bytes())
    start = FILES - 0x1000
    at = data.index(b"def attempt(", start)
    if what == "cut":
        del data[at:]
    elif what == "bit":
        data[at] ^= 1
    elif what == "superblock":
        data[start : start + 8192] = b"\0" * 8192
    else:
        del data[start:]
    path.write_bytes(data)
    with pytest.raises(BoardError) as error:
        batchimage.read(path)
    assert error.value.code == "flash.image"
    words = "holds firmware alone" if what == "none" else "its files are damaged or cut off"
    assert words in str(error.value)


def test_the_pieces_leave_nvs_out_and_end_with_what_makes_a_file_system(folder):
    make(folder)
    found = image.read(folder / "batch.bin")
    end, files = 0x1000 + len(found.data), FILES + 8192
    first, *pieces = found.pieces(keep_nvs=True)
    assert first == (FILES, b"\xff" * 8192)
    assert [(at, at + len(data)) for at, data in pieces] == [
        (0x1000, NVS[0]),
        (sum(NVS), FILES),
        (files, end),
        (FILES, files),
    ]
    first, *pieces = found.pieces(keep_nvs=False)
    assert b"".join(data for _, data in sorted(pieces)) == found.data


def test_a_dry_run_burns_nothing(folder):
    make(folder)
    with RomLoader(board=Board.new(folder / "board"), firmware=firmware(), held=True) as rom:
        command = ("provision", "--port", rom.port, "--image", "batch.bin", "--dry-run", "--json")
        (row,) = dynreg(*command, "--report", "batch.csv", cwd=folder).rows
        assert not rom.written
    assert row["outcome"] == "dry run"
    assert "bytes would be written" in row["message"]
    assert not (folder / "batch.csv").exists()


@pytest.mark.ci
def test_a_flash_of_another_size_is_refused(folder):
    make(folder, "--flash-size", "8MB")
    with RomLoader() as rom:
        result = dynreg("flash", "--port", rom.port, "--image", "batch.bin", "--json", cwd=folder)
        assert not rom.written
    (row,) = result.rows
    assert row["error"] == "flash.size"
    assert "has 4096 KiB of flash, the image is for 8192" in row["message"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("flash", "--firmware", "batch.bin"), "is a batch's image, with files in it"),
        (("flash", "--image", "firmware.bin"), "holds firmware alone"),
        (("flash", "--image", "batch.bin", "--restore-identity", "x"), "goes with --firmware"),
        (("provision", "--image", "batch.bin", "--app", "x"), "give these to 'dynreg image'"),
        (("provision", "--image", "batch.bin", "--after", "no-reset"), "must start to register"),
        (("provision", "--image", "none.bin"), "none.bin: cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(folder, arguments, words):
    make(folder)
    result = dynreg(*arguments, "--port", "/dev/null", cwd=folder)
    assert result.code == 1
    assert words in result.err
    assert result.err.count("\n") == 1
