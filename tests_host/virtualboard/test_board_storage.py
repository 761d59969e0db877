"""Flash, NVS and power cuts."""

import io
import itertools
import runpy
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.board import TORN
from tests_host.modes import UMASKS, readable, umask

ROOT = Path(__file__).resolve().parents[2]


def test_new_board(tmp_path):
    board = Board.new(tmp_path / "b")
    assert stat.S_IMODE((board.folder / "board.json").stat().st_mode) == 0o600
    assert (board.folder / "flash.img").stat().st_size == 2 << 20
    assert board.mac.startswith("24:6f:28:")
    assert Board(board.folder).mac == board.mac
    assert Board.new(tmp_path / "c").mac != board.mac
    assert board.listdir() == ["boot.py"]


@pytest.mark.parametrize("mask", UMASKS)
def test_a_board_is_its_owners_alone(tmp_path, mask):
    folder = tmp_path / "b"
    with umask(mask):
        board = Board.new(folder)
        board.write_file("/main.py", NVS + "n.set_i32('k', 1); n.commit()\n")
        with board.power_on() as running:
            running.wait_repl()
            others = readable(folder)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"board.json", "flash.img", "nvs.bin", "firmware"}
    assert others == {}


def test_a_board_of_an_earlier_edition_is_narrowed(board):
    board.write_file("/main.py", NVS + "n.set_i32('k', 1); n.commit()\n")
    with board.power_on() as running:
        running.wait_repl()
    for name in ("board.json", "flash.img", "nvs.bin"):
        (board.folder / name).chmod(0o644)
    assert Board(board.folder).listdir()
    modes = {path.name: path.stat().st_mode & 0o777 for path in board.folder.iterdir()}
    assert {modes[name] for name in ("board.json", "flash.img", "nvs.bin")} == {0o600}


@pytest.mark.parametrize("fs", ["littlefs2", "fat"])
def test_files_outlive_power(tmp_path, fs):
    board = Board.new(tmp_path / "b", fs=fs, flash_size="512K")
    board.write_file("/d/e.txt", b"offline\n")
    board.write_file(
        "/main.py",
        "import os\nprint(open('/d/e.txt').read(), os.statvfs('/')[0], os.stat('/d/e.txt')[6])\n"
        "f = open('/n.txt', 'w')\nf.write('x' * 9000)\nf.close()\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        assert "offline\r\n 4096 8\r\n" in running.output or fs == "fat"
        assert running.flash_writes > 3
    assert board.read_file("/n.txt") == b"x" * 9000
    assert board.listdir("/") == ["boot.py", "d", "main.py", "n.txt"]
    with pytest.raises(FileNotFoundError):
        board.read_file("/nope")
    board.remove_file("/n.txt")
    assert "n.txt" not in board.listdir()


def test_reads_of_the_flash_are_counted(board):
    board.write_file("/big.bin", bytes(range(256)) * 256)
    counts = []
    for times in (0, 1, 3):
        board.write_file("/main.py", f"for _ in range({times}):\n open('big.bin','rb').read()\n")
        for _ in ("one boot", "the same again"):
            with board.power_on() as running:
                running.wait_repl()
                counts.append(running.flash_reads)
                assert running.flash_writes == 0
            assert board.flash_reads == counts[-1]
    none, once, thrice = counts[::2]
    assert counts[1::2] == counts[::2]
    assert once - none >= 65536 // 4096  # each block, at least
    # Each main.py lies elsewhere, which costs a read more or less.
    assert thrice - none == pytest.approx(3 * (once - none), rel=0.05)


def test_reads_are_counted_anew_after_a_power_cycle_only(board):
    with board.power_on() as running:
        running.wait_repl()
        first = running.flash_reads
        running.reset()
        running.wait_repl()
        assert running.flash_reads == 2 * first
        running.power_cycle()
        running.wait_repl()
        assert running.flash_reads == first


NVS = """
from esp32 import NVS
n = NVS('app')
def attempt(f, *a):
    try:
        return f(*a)
    except OSError as e:
        return e.args
b = bytearray(8)
"""


def test_nvs(board, run_main):
    text = run_main(
        NVS + "print(attempt(n.get_i32, 'k'), attempt(n.get_blob, 'k', b))\n"
        "n.set_i32('k', -5); n.set_blob('b', b'\\x00\\nxyz'); print(n.get_i32('k'))\n"
        "print(n.get_blob('b', b), b, attempt(n.get_i32, 'b'), attempt(n.get_blob, 'b', b[:1]))\n"
        "n.commit(); NVS('other').set_i32('k', 1)\n"
        "print(attempt(NVS, 'a' * 16), attempt(n.set_i32, 'k' * 16, 1)[0])\n"
        "n.set_i32('k', 9)\n"
    )
    missing = "(-4354, 'ESP_ERR_NVS_NOT_FOUND')"
    short = "(-4364, 'ESP_ERR_NVS_INVALID_LENGTH')"
    assert text.splitlines() == [
        f"{missing} {missing}",
        "-5",
        f"5 bytearray(b'\\x00\\nxyz\\x00\\x00\\x00') {missing} {short}",
        "(-4361, 'ESP_ERR_NVS_KEY_TOO_LONG') -4361",
    ]
    assert board.flash_writes == 1
    text = run_main(
        NVS + "print(n.get_i32('k'), n.get_blob('b', b), attempt(NVS('other').get_i32, 'k'))\n"
        "n.erase_key('k'); n.commit(); print(attempt(n.get_i32, 'k'))\n"
        "print(attempt(n.erase_key, 'k'))\n"
    )
    assert text.splitlines() == [f"-5 5 {missing}", missing, missing]


def test_power_cut_at_a_commit_keeps_the_old(board):
    board.write_file(
        "/main.py", NVS + "n.set_i32('k', 1); n.commit(); n.set_i32('k', 2); n.commit()\n"
    )
    with board.power_on(power_cut=2, torn="random") as running:
        running.wait_power_lost()
        assert running.power_lost
    board.write_file("/main.py", NVS + "print('kept', n.get_i32('k'))\n")
    with board.power_on() as running:
        running.wait_for("kept 1")


REPLACE = """
import os
f = open('/s.new', 'w'); f.write('new ' * 200); f.close()
os.rename('/s.new', '/s')
print('all done')
"""


@pytest.mark.ci
@pytest.mark.parametrize("torn", TORN)
def test_replacing_a_file_survives_any_cut(board, torn):
    old, new = b"old " * 200, b"new " * 200
    outcomes = []
    for cut in range(1, 40):
        board.write_file("/s", old)
        board.write_file("/main.py", REPLACE)
        with board.power_on(power_cut=cut, torn=torn) as running:
            while running.state not in ("cut", "up"):
                running.wait_change(1)
            lost = running.power_lost
            assert running.flash_writes == cut or not lost
        outcomes.append(board.read_file("/s"))
        if not lost:
            break
    assert not lost
    assert len(outcomes) > 4
    assert set(outcomes) == {old, new}
    assert outcomes[0] == old
    assert outcomes[-1] == new


def test_torn_states_differ_on_flash(board):
    """What a cut leaves of one block that was being programmed with z."""
    board.write_file("/main.py", "f = open('/f', 'w')\nf.write('z' * 4096)\nf.close()\n")
    image = board.folder / "flash.img"
    before = image.read_bytes()
    kinds = {}
    for torn in TORN[:4]:
        for cut in (1, 2, 3, 4, 5, 6):
            image.write_bytes(before)
            with board.power_on(power_cut=cut, torn=torn) as running:
                running.wait_power_lost()
            after = image.read_bytes()
            assert board.listdir()[0] == "boot.py"
            kinds.setdefault(torn, []).append(after)
    written = [data.count(b"z" * 16) for data in kinds["untouched"]]
    halved = [data.count(b"z" * 16) for data in kinds["half"]]
    assert any(h > w for h, w in zip(halved, written, strict=True))
    for one, two in itertools.pairwise(kinds):
        assert kinds[one] != kinds[two]


def test_a_reordered_cut_loses_the_block_before_and_keeps_the_one_at_hand(monkeypatch):
    def operation(tear):
        if len(written) == 3:
            tear("reordered")
            raise InterruptedError
        written.append(None)

    written = []
    board = SimpleNamespace(config={"torn": "reordered"}, flash_operation=operation)
    monkeypatch.setitem(sys.modules, "_board", board)
    flashdev = runpy.run_path(str(ROOT / "tools/dynreg_tools/virtualboard/firmware/flashdev.py"))
    block = flashdev["BLOCK"]
    image = io.BytesIO(bytes(4 * block))
    flash = flashdev["Flash"](image, 4 * block)
    flash.writeblocks(0, b"a")
    flash.ioctl(3, 0)
    flash.writeblocks(1, b"b")
    flash.writeblocks(2, b"c")
    with pytest.raises(InterruptedError):
        flash.writeblocks(3, b"d")
    assert [image.getvalue()[number * block] for number in range(4)] == [*b"a", 0, *b"cd"]


def test_power_cycle_arms_the_next_cut(board):
    board.write_file(
        "/main.py", "f = open('/f', 'w')\nf.write('1')\nf.close()\nprint('written')\n"
    )
    with board.power_on() as running:
        running.wait_for("written")
        writes = running.flash_writes
        running.power_cycle(power_cut=1)
        running.wait_power_lost()
        assert writes > 1
        assert running.flash_writes == 1


def test_a_corrupt_file_system_says_so(board):
    image = board.folder / "flash.img"
    image.write_bytes(b"\x00" * image.stat().st_size)
    with board.power_on() as running:
        running.wait_for("filesystem appears to be corrupted")
        running.write("\x03")
        running.wait_for(">>> ")


def test_firmware_modules_import_again(tmp_path):
    (tmp_path / "simple.py").write_text("import usocket as socket\nclass MQTTClient:\n    pass\n")
    board = Board.new(tmp_path / "board", umqtt=tmp_path / "simple.py")
    board.write_file("/lib/umqtt_user.py", "from umqtt.simple import MQTTClient\n")
    board.write_file(
        "/main.py",
        "import sys, os\nimport umqtt.simple as a\ndel sys.modules['umqtt.simple']\n"
        "import umqtt.simple as b\nprint(a is b, b.MQTTClient is not a.MQTTClient)\n"
        "sys.modules.clear()\nimport umqtt_user, urequests, requests, ntptime\n"
        "print(urequests is requests, os.listdir('/'), sys.path)\n"
        "import ujson, uos, utime, ubinascii, ustruct, uhashlib, ucryptolib, usocket, socket\n"
        "print(uos is os, usocket is socket, ujson.dumps([1]))\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        assert (
            "False True\r\nTrue ['boot.py', 'lib', 'main.py'] ['', '.frozen', '/lib']\r\n"
            "True True [1]\r\n"
        ) in running.output


def test_own_urequests_is_frozen_under_both_names(tmp_path):
    (tmp_path / "mine.py").write_text("NAME = 'mine'\n")
    board = Board.new(tmp_path / "b", urequests=tmp_path / "mine.py", umqtt=tmp_path / "mine.py")
    board.write_file(
        "/main.py",
        "import requests, urequests, umqtt.simple\n"
        "print(requests.NAME, urequests.NAME, umqtt.simple.NAME)\n",
    )
    with board.power_on() as running:
        running.wait_for("mine mine mine")
