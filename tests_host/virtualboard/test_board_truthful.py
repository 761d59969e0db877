"""What a program sees of the interpreter is an ESP32's: no stand-in, no unix port, no host."""

import re
import shutil

import pytest

from dynreg_tools.build import interpreters
from dynreg_tools.virtualboard import Board, freeze
from tests_host.virtualboard.test_board_network import JOIN

LINUX_MEMORY = pytest.mark.skipif("sys.platform != 'linux'", reason="its memory is not writable")
BUILT_IN = [
    *("errno", "esp32", "machine", "micropython", "network", "os", "select"),
    *("socket", "sys", "time", "tls", "vfs"),
]


@pytest.fixture
def lines(run_main):
    def run(source, **power):
        return run_main(source, **power).splitlines()

    return run


def test_modules_show_themselves_as_built_in(lines):
    shown = lines("\n".join(f"import {name}; print({name})" for name in BUILT_IN))
    assert shown == [f"<module '{name}'>" for name in BUILT_IN]


def test_no_path_of_the_host_shows(board, lines):
    text = "\n".join(
        lines(
            "import sys\n"
            + "".join(f"import {name}; help({name})\n" for name in BUILT_IN if name != "sys")
            + "import umqtt.simple, ntptime\n"
            "print(umqtt.simple, ntptime, sys.modules, globals())\n"
        )
    )
    assert str(board.folder.parent) not in text
    assert "esp_" not in text
    assert "<module 'umqtt.simple' from 'umqtt/simple.py'> <module 'ntptime' from 'nt" in text


def test_objects_show_themselves_as_on_the_board(lines):
    assert lines(
        "import os, socket, vfs\n"
        "print(socket.socket(), socket.socket, vfs.VfsLfs2)\n"
        "print(str(os.uname())[:34])\n"
    ) == [
        "<socket> <class 'socket'> <class 'VfsLfs2'>",
        "(sysname='esp32', nodename='esp32'",
    ]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_name_that_is_not_there_is_an_import_error(lines, name):
    assert lines(
        f"try:\n    from {name} import nothing\nexcept ImportError as error:\n    print(error)\n"
        f"try:\n    import {name}.nothing\nexcept ImportError as error:\n    print(error)\n"
    ) == ["can't import name nothing", f"no module named '{name}.nothing'"]


@LINUX_MEMORY
@pytest.mark.parametrize("name", BUILT_IN)
def test_nothing_can_be_put_into_a_built_in_module(lines, name):
    assert lines(
        f"import {name}\n"
        f"try:\n    {name}.more = 1\nexcept AttributeError as error:\n    print('refused')\n"
        f"from {name} import *\nprint(hasattr({name}, 'more'))\n"
    ) == ["refused", "False"]


@LINUX_MEMORY
def test_errno_is_the_esp32s_for_the_compiler_too(lines):
    assert lines(
        "import errno\n"
        "print(errno.ETIMEDOUT, getattr(errno, 'ETIMEDOUT'), errno.errorcode[116])\n"
        "print(OSError(116), OSError(errno.ENOTCONN), 110 in errno.errorcode)\n"
    ) == ["116 116 ETIMEDOUT", "[Errno 116] ETIMEDOUT [Errno 128] ENOTCONN False"]


def test_where_the_interpreters_memory_cannot_be_written(tmp_path, monkeypatch):
    """As on macOS: modules stand in for errno and sys; only the compiler knows better."""
    shutil.copytree(freeze.FIRMWARE, tmp_path / "firmware")
    for path in (tmp_path / "firmware").glob("esp_*.py"):
        path.write_text(path.read_text("utf-8").replace("/proc/self/mem", "/proc/none"), "utf-8")
    monkeypatch.setattr(freeze, "FIRMWARE", tmp_path / "firmware")
    board = Board.new(tmp_path / "b")
    board.write_file("/there.py", "print('found there')\n")
    board.write_file(
        "/main.py",
        "import errno, sys\nprint(errno, getattr(errno, 'ETIMEDOUT'), sys, sys.platform)\n"
        "sys.path = ['/lib']\n"
        "try:\n    import there\nexcept ImportError as error:\n    print(error)\n"
        "sys.path = ['/']\nimport there\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        text = running.output
    assert "<module 'errno'> 116 <module 'sys'> esp32\r\nno module named 'there'" in text
    assert "found there" in text


def test_what_sys_says_and_takes(lines):
    shown = lines(
        "import gc, sys\ngc.collect(); kept = [bytes(500) for _ in range(90)]; gc.collect()\n"
        "print(sys.platform, sys.implementation.name, sys.implementation._machine)\n"
        "print([name for name in ('atexit', 'executable', 'exc_info') if hasattr(sys, name)])\n"
        "open('/there.py', 'w').close()\n"
        "sys.path = []\n"
        "try:\n    import there\nexcept ImportError:\n    print('not in an empty path')\n"
        "sys.path = ['/']\nimport there\nprint(there)\n"
    )
    assert shown == [
        "esp32 micropython VIRTUAL ESP32 board with ESP32",
        "[]",
        "not in an empty path",
        "<module 'there' from '//there.py'>",
    ]


def test_a_prompt_of_ones_own(board):
    board.write_file("/main.py", "import sys\nsys.ps1 = 'mine: '\nimport time\n")
    with board.power_on() as running:
        running.wait_repl()
        running.write("\r")
        running.wait_for("mine: ")


def test_a_file_goes_before_an_extensible_module_and_only_before_such(board, run_main):
    """py/builtinimport.c: built-ins that no file can hide, then the files, then the others."""
    for name in ("time", "errno", "network", "micropython", "ntptime"):
        board.write_file(f"/{name}.py", f"NAME = 'the file {name}'\n")
    board.write_file("/lib/json.py", "NAME = 'below lib'\n")
    text = run_main(
        "import time, errno, network, micropython, ntptime, json, utime, ujson\n"
        "for module in (time, errno, network, micropython, ntptime, json, utime, ujson):\n"
        "    print(getattr(module, 'NAME', module))\n"
    )
    assert text.splitlines() == [
        "the file time",
        "the file errno",
        "<module 'network'>",
        "<module 'micropython'>",
        "the file ntptime",
        "below lib",
        "<module 'time'>",
        "<module 'json'>",
    ]


def test_modules_of_the_unix_port_are_not_there(lines):
    assert lines(
        "for name in ('ffi', 'termios', 'unetwork'):\n"
        "    try:\n        __import__(name)\n    except ImportError as error:\n"
        "        print(error)\n"
    ) == [f"no module named '{name}'" for name in ("ffi", "termios", "unetwork")]


def test_an_import_that_fails_leaves_no_trace_of_how_it_is_done(board, run_main):
    board.write_file("/broken.py", "def f():\n    1 / 0\n\n\nf()\n")
    text = run_main(
        "import sys\ntry:\n    import broken\nexcept Exception as e:\n"
        "    sys.print_exception(e)\nimport nothing\n"
    )
    assert text.splitlines() == [
        "Traceback (most recent call last):",
        '  File "main.py", line 3, in <module>',
        '  File "broken.py", line 5, in <module>',
        '  File "broken.py", line 2, in f',
        "ZeroDivisionError: divide by zero",
        "Traceback (most recent call last):",
        '  File "main.py", line 6, in <module>',
        "ImportError: no module named 'nothing'",
    ]


def test_import_takes_what_the_interpreter_takes(lines):
    assert lines(
        "for arguments in ((1,), ('',), ('a', None, None, None, -1)):\n"
        "    try:\n        __import__(*arguments)\n"
        "    except (TypeError, ValueError) as error:\n        print(type(error))\n"
    ) == ["<class 'TypeError'>", "<class 'ValueError'>", "<class 'ValueError'>"]


def test_the_hosts_files_are_out_of_vfs(lines):
    assert lines(
        "import os, vfs\nprint([hasattr(m, n) for m in (os, vfs) for n in ('VfsPosix', 'VfsFat')])"
    ) == ["[False, True, False, True]"]


@pytest.mark.parametrize("fs", ["littlefs2", "fat"])
@pytest.mark.parametrize("clock", ["", "machine.RTC().datetime((2031, 5, 6, 0, 7, 8, 9, 0))\n"])
def test_a_files_time_is_the_boards(tmp_path, fs, clock):
    board = Board.new(tmp_path / "b", fs=fs)
    board.write_file(
        "/main.py",
        "import machine, os, time\n" + clock + "time.sleep(1.1)\nbefore = time.time()\n"
        "with open('/f', 'w') as file:\n    file.write('x')\n"
        "print('late by', os.stat('/f')[8] - before)\n",
    )
    with board.power_on() as running:
        late = int(running.wait_for(re.compile(r"late by (-?\d+)\r"))[1])
    assert -2 <= late <= 2  # FAT counts by twos


RAM_DISK = """
import os, time, vfs
class Disk:
    def __init__(self): self.data = bytearray(64 * 512)
    def readblocks(self, n, b, o=0):
        for i in range(len(b)): b[i] = self.data[n * 512 + o + i]
    def writeblocks(self, n, b, o=0):
        for i in range(len(b)): self.data[n * 512 + o + i] = b[i]
    def ioctl(self, op, arg): return {4: 64, 5: 512, 6: 0}.get(op)
class Own:
    calls = []
    def mount(self, readonly, mkfs): pass
    def umount(self): pass
    def chdir(self, path): pass
    def getcwd(self): self.calls.append('getcwd')
    def stat(self, path): return (0x8000, 0, 0, 0, 0, 0, 1, 7, 8, 9)
"""


def test_a_file_system_of_the_programs_own(lines):
    """littlefs on a RAM disk keeps the board's time; a file system in Python says its own."""
    assert lines(
        RAM_DISK + "disk = Disk()\nvfs.VfsLfs2.mkfs(disk)\n"
        "fs = vfs.VfsLfs2(disk)\nvfs.mount(fs, '/ram')\nnow = time.time()\n"
        "f = fs.open('/x', 'w'); f.write('abc'); f.close()\n"
        "print(fs.stat('/x')[8] - now in (0, 1, 2), os.stat('/ram/x')[6], fs)\n"
        "own = Own(); vfs.mount(own, '/own'); os.chdir('own')\n"
        "print(os.stat('x'), os.stat('/own/y')[7:], own.calls)\n"
        "os.chdir('/'); vfs.umount(own); vfs.umount(fs)\nprint(os.listdir('/'), vfs.mount())\n"
    ) == [
        "True 3 <VfsLfs2>",
        "(32768, 0, 0, 0, 0, 0, 1, 7, 8, 9) (7, 8, 9) []",
        "['boot.py', 'main.py'] [(<VfsLfs2>, '/')]",
    ]


def test_arguments_that_socket_refuses(lines):
    assert lines(
        "import socket\n"
        "for arguments in ((None,), (2, None), (2, 1, None), (2, 1, 0, 0), ('2',), (2, 1.0)):\n"
        "    try:\n        socket.socket(*arguments)\n    except TypeError:\n"
        "        print('TypeError')\n"
        "try:\n    socket.socket(type=1)\nexcept TypeError:\n    print('no names')\n"
        "try:\n    socket.socket(2, 99)\nexcept OSError as error:\n    print(error.errno)\n"
    ) == ["TypeError"] * 6 + ["no names", "22"]


def test_flags_of_recv(lines, echo_server):
    assert lines(
        JOIN + "import errno, socket\ns = socket.socket()\n"
        f"s.connect(('127.0.0.1', {echo_server}))\ns.send(b'abc')\n"
        "print(s.recv(2, socket.MSG_PEEK), s.recv(9))\n"
        "try:\n    s.recv(1, socket.MSG_DONTWAIT)\nexcept OSError as error:\n"
        "    print(error.errno in (errno.EAGAIN, errno.ETIMEDOUT))\n"
    ) == ["b'ab' b'abc'", "True"]


def test_dates_beyond_32_bits(lines):
    assert lines(
        "import time, machine\n"
        "print(time.mktime((2040, 1, 2, 3, 4, 5, 0, 0)), time.gmtime(1262401445))\n"
        "print(time.mktime((2023, 14, 31, 25, 61, 0, 0, 0, 0)), time.gmtime(4294967295)[:3])\n"
        "machine.RTC().datetime((2099, 12, 31, 0, 23, 59, 58, 0)); print(time.localtime())\n"
        "try:\n    time.mktime((1, 2, 3))\nexcept TypeError:\n    print('TypeError')\n"
    ) == [
        "1262401445 (2040, 1, 2, 3, 4, 5, 0, 2)",
        "762746460 (2136, 2, 7)",
        "(2099, 12, 31, 23, 59, 58, 3, 365)",
        "TypeError",
    ]


def test_a_32_bit_interpreter_makes_a_board(tmp_path):
    """Debian's for i386: a time_t of 32 bits, addresses above and below 2 GB."""
    found = [one for one in interpreters.available() if one.bits == 32]
    if not found:
        pytest.skip(interpreters.why_not())
    board = Board.new(tmp_path / "b", wifi={"lab": "pw"}, micropython=found[0].path, heap="64K")
    board.write_file(
        "/main.py",
        JOIN + "import errno, gc, machine, os, sys\n"
        "gc.collect(); print('on', sys.platform, sys.maxsize, errno.ETIMEDOUT, time)\n"
        "machine.RTC().datetime((2041, 5, 6, 0, 7, 8, 9, 0)); f = open('f', 'w'); f.close()\n"
        "print(time.localtime()[:6], os.stat('f')[8] - time.time() in (0, 1), 'done')\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        text = running.output
    assert "on esp32 2147483647 116 <module 'time'>\r\n(2041, 5, 6, 7, 8, 9) True done" in text
    assert "; VIRTUAL ESP32 board with ESP32\r\nType " in text
