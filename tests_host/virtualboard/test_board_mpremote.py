"""The real mpremote on the pty."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynreg_tools.virtualboard import Board


@pytest.fixture
def running(board):
    with board.power_on() as running:
        running.wait_repl()
        yield running


def test_exec_eval_run_and_exceptions(running, mpremote, tmp_path):
    (tmp_path / "p.py").write_text("import sys\nprint('ran on', sys.platform)\n")
    assert mpremote(running.port, "exec", "print(6 * 7)") == (0, "42\n")
    assert mpremote(running.port, "eval", "2 ** 70") == (0, f"{2**70}\n")
    assert mpremote(running.port, "run", "p.py") == (0, "ran on esp32\n")
    code, text = mpremote(running.port, "exec", "1/0")
    assert code == 1
    assert "ZeroDivisionError" in text


def test_files_both_ways(running, mpremote, tmp_path):
    blob = os.urandom(9000) + bytes(range(256))
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    (tmp_path / "tree" / "blob.bin").write_bytes(blob)
    (tmp_path / "tree" / "sub" / "q.txt").write_text("hello\n")
    port = running.port
    assert mpremote(port, "cp", "-r", "tree", ":")[0] == 0
    code, text = mpremote(port, "ls", ":tree")
    assert code == 0
    assert text.split()[2:] == [str(len(blob)), "blob.bin", "0", "sub/"]
    assert mpremote(port, "cat", ":tree/sub/q.txt") == (0, "hello\n")
    assert hashlib.sha256(blob).hexdigest() in mpremote(port, "sha256sum", ":tree/blob.bin")[1]
    assert mpremote(port, "cp", ":tree/blob.bin", "back.bin")[0] == 0
    assert (tmp_path / "back.bin").read_bytes() == blob
    assert mpremote(port, "cp", "-r", ":tree", "copy")[0] == 0
    assert (tmp_path / "copy" / "sub" / "q.txt").read_text() == "hello\n"
    assert mpremote(port, "mkdir", ":d", "+", "rm", "-r", ":tree")[0] == 0
    assert mpremote(port, "ls")[1].split()[2:] == ["75", "boot.py", "0", "d/"]
    assert "2097152" in mpremote(port, "df")[1]


def test_mount_is_binary_clean(running, mpremote, tmp_path):
    (tmp_path / "host").mkdir()
    blob = bytes(range(256)) * 9 + b"\r\r\n\n\x03\x04"
    (tmp_path / "host" / "blob").write_bytes(blob)
    (tmp_path / "host" / "mod.py").write_text("print('imported from the host')\n")
    code, text = mpremote(
        running.port,
        "mount",
        "host",
        "exec",
        "import mod, hashlib, binascii\n"
        "print(binascii.hexlify(hashlib.sha256(open('/remote/blob', 'rb').read()).digest()))\n"
        "f = open('/remote/out', 'wb'); f.write(bytes(range(256))); f.close()",
    )
    assert code == 0
    assert "imported from the host" in text
    assert hashlib.sha256(blob).hexdigest() in text
    assert (tmp_path / "host" / "out").read_bytes() == bytes(range(256))


def test_soft_reset_runs_boot_only(board, mpremote):
    board.write_file("/boot.py", "print('B')\n")
    board.write_file("/main.py", "print('M')\n")
    with board.power_on() as running:
        running.wait_repl()
        assert running.output.count("B\r\nM\r\n") == 1
        assert mpremote(running.port, "soft-reset")[0] == 0
        assert mpremote(running.port, "exec", "x = 5")[0] == 0
        assert running.output.count("M\r\n") == 1
        assert running.output.count("B\r\n") >= 3
        assert mpremote(running.port, "resume", "exec", "print(x)") == (0, "5\n")


def test_reset_runs_main(board, mpremote):
    board.write_file("/main.py", "print('M')\n")
    with board.power_on() as running:
        running.wait_repl()
        assert mpremote(running.port, "reset")[0] == 0
        running.wait_for("SW_CPU_RESET")
        running.wait_for("M\r\n")


def test_busy_main_is_interrupted(board, mpremote):
    board.write_file("/main.py", "import time\nn = 0\nprint('busy')\nwhile True:\n    n += 1\n")
    with board.power_on() as running:
        running.wait_for("busy")
        assert mpremote(running.port, "exec", "print('in')") == (0, "in\n")


def test_exit_code_in_raw_repl_is_a_soft_reset(running, mpremote):
    mpremote(running.port, "exec", "import sys; sys.exit(3)")
    running.wait_for("MPY: soft reboot")
    assert mpremote(running.port, "exec", "print(1)") == (0, "1\n")


def test_ctrl_c_reaches_a_raw_paste_program(running):
    running.write("\r\x01")
    running.wait_for("raw REPL; CTRL-B to exit\r\n>")
    running.write("\x05A\x01")
    running.wait_for("R\x01")
    running.write("print('in')\nwhile True: pass\n\x04")
    running.wait_for("in\r\n")
    running.write("\x03")
    running.wait_for("KeyboardInterrupt")
    running.write("\x02")
    running.wait_for(">>> ")


def test_nothing_stale_for_the_next_reader(running, mpremote):
    running.write("print('s' + 'tale')\r")
    running.wait_for("stale")
    time.sleep(0.05)
    assert mpremote(running.port, "resume", "exec", "print(1)") == (0, "1\n")


def test_two_boards_and_the_fixed_link(board, mpremote, tmp_path):
    other = Board.new(tmp_path / "other")
    ask = "import machine, binascii; print(binascii.hexlify(machine.unique_id()).decode())"
    with board.power_on() as one, other.power_on() as two:
        assert one.port != two.port
        assert os.readlink(board.folder / "port") == one.port
        for each in (board, other, board):
            link = str(each.folder / "port")
            assert mpremote(link, "exec", ask) == (0, each.unique_id.hex() + "\n")


def test_repl_of_mpremote(running):
    """A person at mpremote's own terminal, played by a pty."""
    terminal, side = os.openpty()
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "mpremote"), "connect", running.port, "repl"],
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    try:
        os.close(side)
        seen = b""
        deadline = time.monotonic() + 20
        while b"to exit this shell" not in seen and time.monotonic() < deadline:
            seen += os.read(terminal, 999)
        os.write(terminal, b"print('a' * 9)\r")
        while b"aaaaaaaaa\r\n" not in seen and time.monotonic() < deadline:
            seen += os.read(terminal, 999)
        os.write(terminal, b"\x1d")
        assert process.wait(10) == 0
        assert b"aaaaaaaaa\r\n" in seen
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
