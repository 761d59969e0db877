"""The cable pulled, and the power with it, at every Nth flash write of a deploy.

Two releases of the library are told apart by a stamp in each module, so that a mixture of them
would show. `./dev test` tries a few of the cut points, `./dev long` one in 29.
"""

import json
import re
import shutil

import pytest

from dynreg_tools.boards import programs
from dynreg_tools.boards.content import digests
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.virtualboard import Board
from tests_host.fleet import batchfolder
from tests_host.fleet.batchfolder import content_of, deploy, make_info
from tests_host.power import cuts

SECRET = {"deviceSecret": "AAAAAAAAAAAAAAAAAAAAAA==", "check": "01234567"}
FEW, MANY = 331, 29  # every so many writes; primes, to meet each place of a file's own pattern
# What a board may run after a cut: the library first, the program last.
WHOLE = {"main A dynreg A hub A", "main A dynreg B hub B", "main B dynreg B hub B"}
BETWEEN = "main A dynreg B hub A"  # one write lies between the switch of one package and the other
MAIN = """
import sys
names = ["dynreg"] + ["dynreg." + name for name in {modules}]
stamps = set()
for name in names:
    __import__(name)
    stamps.add(sys.modules[name].STAMP)
import hub.hub
print("RUNS main {release} dynreg", "".join(sorted(stamps)), "hub", hub.hub.STAMP)
"""


def release(root, stamp, monkeypatch):
    """What there is of a release whose every module knows its stamp."""
    batchfolder.copy_of_library(root)
    modules = [file.stem for file in (root / "lib/dynreg").glob("*.py") if file.stem[0] != "_"]
    for file in (root / "lib").rglob("*.py"):
        file.write_text(file.read_text() + f"\nSTAMP = {stamp!r}\n")
    (root / "boot.py").write_text(f"print('boot {stamp}')\n")
    (root / "main.py").write_text(MAIN.format(modules=modules, release=stamp))
    make_info(root, note=stamp)
    (root / "certs").mkdir()
    (root / "certs/ca.der").write_bytes(stamp.encode() * 900)
    with batchfolder.library(monkeypatch, root):
        return content_of(root)


@pytest.fixture(scope="module")
def patches():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def scene(tmp_path_factory, patches):
    """A board with release A and a credential, release B, and how many writes B takes."""
    folder = tmp_path_factory.mktemp("scene")
    old = release(folder / "A", "A", patches)
    new = release(folder / "B", "B", patches)
    ours = programs.RELEASES | set(digests(old.others).values())
    patches.setattr(programs, "RELEASES", ours)
    board = Board.new(folder / "board", wifi={})
    with board.power_on() as running:
        running.wait_repl()
        deploy(running.port, old)
    info = json.loads(board.read_file("/device_info.json")) | {"key_deviceinfo": SECRET}
    board.write_file("/device_info.json", json.dumps(info))
    # not every write is there every time: where littlefs puts things is a matter of chance
    shutil.copytree(folder / "board", folder / "count")
    with Board(folder / "count").power_on() as running:
        running.wait_repl()
        deploy(running.port, new)
        writes = running.flash_writes
    return folder / "board", new, writes


def runs(running) -> str:
    """What the last start found."""
    return re.findall(r"RUNS (.*?)\r", running.output)[-1]


@pytest.mark.ci
@pytest.mark.parametrize("every", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_power_and_cable_lost_at_every_nth_write(scene, tmp_path, every):
    folder, new, writes = scene
    seen = {}

    def attempt(board, powers):
        port = str(board.folder / "port")
        for power in powers:
            if power["power_cut"] > writes:
                return False
            with board.power_on(**power, cable=True) as running:
                running.wait_repl()
                with pytest.raises(BoardError) as caught:
                    deploy(port, new)
                assert caught.value.code in ("board.lost", "board.port")
        with board.power_on() as running:
            running.wait_repl()
            seen.setdefault(runs(running), []).append(powers)
            deploy(port, new)
            running.power_cycle()
            running.wait_repl()
            assert runs(running).endswith("main B dynreg B hub B")
        assert board.listdir("/") == ["boot.py", "certs", "device_info.json", "lib", "main.py"]
        info = json.loads(board.read_file("/device_info.json"))
        assert info["key_deviceinfo"] == SECRET
        assert info["note"] == "B"
        return True

    count = cuts.every_cut(folder, tmp_path, attempt, first=every // 2, step=every)
    assert count >= 3
    assert set(seen) <= WHOLE | {BETWEEN}, seen
    assert len(seen.get(BETWEEN, [])) <= 1


def test_a_cable_pulled_from_a_board_that_keeps_its_power(scene, tmp_path):
    folder, new, writes = scene
    shutil.copytree(folder, tmp_path / "board")
    board = Board(tmp_path / "board")
    port = str(board.folder / "port")
    with board.power_on() as running:
        running.wait_repl()
        for part in (0.1, 0.5, 0.8):
            limit = running.flash_writes + round(writes * part / 4)

            def pull(text, limit=limit):
                if running.flash_writes >= limit and running._loop.port:
                    running._loop.ask("unplug")

            running.on_output(pull)
            with pytest.raises(BoardError) as caught:
                deploy(port, new)
            assert caught.value.code == "board.lost"
            running._loop.callbacks.remove(pull)
            running.unplug()
            running.plug_in()
        deploy(port, new)
        running.power_cycle()
        running.wait_repl()
        assert "main B dynreg B hub B" in running.output
