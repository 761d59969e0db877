"""A blank board with what `./dev package` makes, put there by mpremote's mip, and nothing else."""

import json
import subprocess
import sys

import pytest

from dynreg_tools import demo, sources
from dynreg_tools.testing.board import WIFI, VirtualBoard
from dynreg_tools.virtualboard import Board
from tests_host.flow.conftest import report_of

IMPORT_ALL = """
for name in {names}:
    __import__(name)
print(len({names}))
"""


@pytest.fixture
def package(tmp_path):
    """The package.json of a package made now, by the command itself."""
    command = [
        sys.executable,
        "-m",
        "dynreg_tools",
        "package",
        "--json",
        "--out",
        tmp_path / "dist",
    ]
    done = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["package"]


def files_below(board, folder):
    found = set()
    for name in board.listdir(folder):
        place = f"{folder}/{name}"
        found |= {place} if "." in name else files_below(board, place)
    return found


def test_it_registers_logs_in_and_sets_the_clock(tmp_path, hub, package):
    board = Board.new(tmp_path / "board", wifi=WIFI, ntp=hub.ntp)
    bench = VirtualBoard(board, hub)
    board.write_file("/certs/hub_ca.der", hub.ca_der.read_bytes())
    bench.configure()
    modules = [name.removesuffix(".py") for name in sources.modules()]
    names = [name.replace("/", ".").removesuffix(".__init__") for name in modules]
    with board.power_on() as running:
        running.wait_repl()

        def mpremote(*arguments):
            command = [sys.executable, "-m", "mpremote", "connect", running.port, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        mpremote("mip", "install", package)
        programs = [str(sources.ROOT / name) for name in ("boot.py", "main.py")]
        mpremote("cp", *programs, ":")
        assert mpremote("exec", IMPORT_ALL.format(names=names)).strip() == str(len(names))
    assert files_below(board, "/lib") == {f"/lib/{name}.mpy" for name in modules}

    first = bench.boot()
    demo.check_steps(first, (*demo.REGISTRATION, *demo.STEPS))
    report = report_of(first)
    assert report["registered"]
    assert report["connected"]
    assert report["clock_set"]
    assert report["error"] is None
    assert "Traceback" not in first
    second = report_of(bench.boot())
    assert not second["registered"]
    assert second["connected"]
    assert second["clock_set"]
    kinds = [event["event"] for event in hub.events]
    assert kinds.count("registered") == 1
    assert kinds.count("login") == 2
