"""What a deploy leaves on a board, and what it leaves alone."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from dynreg_tools import sources
from dynreg_tools.boards import apply, compiler, plan
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet import batchfolder
from tests_host.fleet.batchfolder import content_of, deploy, files_of, make_info

DYNREG = (sys.executable, "-m", "dynreg_tools")
SECRET = {"deviceSecret": "AAAAAAAAAAAAAAAAAAAAAA==", "check": "01234567"}


@pytest.fixture
def board(tmp_path):
    return Board.new(tmp_path / "board", wifi={})


@pytest.fixture
def batch(tmp_path):
    make_info(tmp_path / "batch")
    return tmp_path / "batch"


@pytest.fixture
def running(board):
    with board.power_on() as running:
        running.wait_repl()
        yield running


def tree(board, path="/") -> dict:
    """All files of a board that is off."""
    found = {}
    for name in board.listdir(path):
        place = path.rstrip("/") + "/" + name
        try:
            found |= tree(board, place)
        except OSError:
            found[place] = board.read_file(place)
    return found


def test_a_blank_board_gets_all_and_the_second_time_nothing(board, batch):
    what = content_of(batch)
    wanted = files_of(what)
    with board.power_on() as running:
        running.wait_repl()
        first = deploy(running.port, what)
        writes = running.flash_writes
        second = deploy(running.port, what)
        assert running.flash_writes == writes
    assert set(first["written"]) == set(wanted)
    assert first["device_info"] == "new"
    assert second["written"] == []
    assert second["device_info"] == "same"
    held = tree(board)
    info = json.loads(held.pop("/device_info.json"))
    assert held == wanted
    assert info == json.loads((batch / "device_info.json").read_text())
    assert all(path.endswith(".mpy") for path in held if path.startswith("/lib/"))
    with board.power_on() as running:
        running.wait_for("device: esp32-")
        assert "Traceback" not in running.output


def test_only_what_changed_is_written(running, batch):
    what = content_of(batch)
    deploy(running.port, what)
    what.compiled["/lib/dynreg/log.mpy"] += b"\0"
    what.others["/main.py"] += b"\n"
    report = deploy(running.port, what)
    assert report["written"] == ["/lib/dynreg/log.mpy", "/main.py"]
    assert report["bytes"] == len(what.compiled["/lib/dynreg/log.mpy"] + what.others["/main.py"])


@pytest.mark.ci
def test_a_py_beside_its_mpy_is_removed(board, batch):
    """.py beside .mpy would be loaded in its place; a copy at the root in the place of both."""
    board.write_file("/lib/dynreg/log.py", "raise ImportError('stale')\n")
    board.write_file("/lib/dynreg/gone.py", "")
    board.write_file("/dynreg/__init__.py", "raise ImportError('by hand')\n")
    board.write_file("/lib/other/mine.py", "keep\n")
    what = content_of(batch)
    with board.power_on() as running:
        running.wait_repl()
        report = deploy(running.port, what)
        with batchfolder.Link(running.port) as link:
            assert link.exec("import dynreg.log; print(dynreg.log.__file__)") == (
                "/lib/dynreg/log.mpy\n"
            )
    assert report["removed"] == ["/lib/dynreg/gone.py", "/lib/dynreg/log.py"]
    held = tree(board)
    assert held.pop("/lib/other/mine.py") == b"keep\n"
    held.pop("/device_info.json")
    assert held == files_of(what)


def test_sources_beside_all_compiled_files_are_removed(board, batch):
    """As mpremote mip leaves both; the hashes of 80 files once scattered the board's heap."""
    what = content_of(batch)
    sources_there = {f"/lib/{name}": sources.LIB / name for name in sources.modules()}
    for path, data in files_of(what).items():
        board.write_file(path, data)
    for path, file in sources_there.items():
        board.write_file(path, file.read_bytes())
    with board.power_on() as running:
        running.wait_repl()
        report = deploy(running.port, what)
    assert report["removed"] == sorted(sources_there)


@pytest.mark.ci
@pytest.mark.parametrize("place", ["/lib/dynreg/log.py", "/dynreg/__init__.py"])
def test_a_library_that_is_half_there_and_was_imported(board, batch, place):
    """As a deploy leaves it that was cut off, on a board whose program imports it."""
    board.write_file(place, "__version__ = 'old'\n")
    board.write_file("/main.py", "import dynreg\n")
    with board.power_on() as running:
        running.wait_repl()
        deploy(running.port, content_of(batch, force=True))
    held = tree(board)
    held.pop("/device_info.json")
    held.pop("/main.py.old")
    assert held == files_of(content_of(batch))


@pytest.mark.ci
@pytest.mark.parametrize("place", ["/hub/sample/device_info.json", "/hub.py", "/dynreg.mpy"])
def test_what_hides_the_library_is_told(board, batch, place):
    board.write_file(place, "{}")
    with board.power_on() as running:
        running.wait_repl()
        (note,) = deploy(running.port, content_of(batch))["notes"]
        again = deploy(running.port, content_of(batch))
    hides = "/hub" if place.startswith("/hub/") else place
    assert note.startswith(f"{hides} on the board hides the package")
    assert "boot.py" in note
    assert again["notes"] == [note]
    assert board.read_file(place) == b"{}", "it is the person's"


@pytest.mark.ci
def test_source_and_back(running, batch):
    deploy(running.port, content_of(batch))
    report = deploy(running.port, content_of(batch, source=True))
    assert "/lib/dynreg/log.py" in report["written"]
    assert "/lib/dynreg/log.mpy" in report["removed"]
    report = deploy(running.port, content_of(batch))
    assert "/lib/dynreg/log.py" in report["removed"]


def test_a_firmware_that_has_the_library_gets_none(board, batch, monkeypatch):
    loop_settings = Board._loop_settings

    def with_library(self, *power):
        command, settings = loop_settings(self, *power)
        for file in (sources.LIB / "dynreg").rglob("*.py"):
            settings["files"]["/" + file.relative_to(sources.LIB).as_posix()] = str(file)
        return command, settings

    monkeypatch.setattr(Board, "_loop_settings", with_library)
    with board.power_on() as running:
        running.wait_repl()
        result = run_deploy(board, batch)
    assert f"lib/ stays here: dynreg {sources.version()} is part of this firmware" in result
    assert sorted(tree(board)) == ["/boot.py", "/device_info.json", "/main.py"]


def run_deploy(board, batch):
    """The command itself, as it leaves a board that is not to start its program."""
    done = dynreg("deploy", "--port", board.folder / "port", "--no-reset", cwd=batch)
    assert done.code == 0, done
    return done.out


def test_a_broken_source_is_found_before_anything_is_sent(tmp_path):
    (tmp_path / "bad.py").write_text("def\n")
    with pytest.raises(BoardError, match=r"bad\.py") as caught:
        compiler.compiled(tmp_path / "bad.py", "bad.py")
    assert caught.value.code == "compiler"


@pytest.mark.ci
def test_an_app_in_place_of_ours(board, batch, tmp_path):
    app = tmp_path / "app"
    (app / "things").mkdir(parents=True)
    (app / "main.py").write_text("import things.one\n")
    (app / "things" / "one.py").write_text("print('my program')\n")
    board.write_file("/things/one.mpy", "stale")
    wanted = content_of(batch, app)
    with board.power_on() as running:
        running.wait_repl()
        deploy(running.port, wanted)
        running.power_cycle()
        running.wait_for("my program")
    assert "/things/one.mpy" not in tree(board)
    (app / "main.py").unlink()
    with pytest.raises(BoardError, match=r"has no main\.py"):
        content_of(batch, app)


def test_certificates_that_device_info_names_must_be_there(batch):
    endpoint = {"gateway": "https://localhost:1", "gatewayCa": "/certs/hub.der"}
    make_info(batch, endpoint=endpoint)
    with pytest.raises(BoardError, match=r"hub\.der is not there: copy the CA"):
        content_of(batch)
    (batch / "certs").mkdir()
    (batch / "certs" / "hub.der").write_bytes(b"0der")
    assert content_of(batch).others["/certs/hub.der"] == b"0der"


def test_a_dry_run_writes_nothing(board, batch):
    board.write_file("/main.py", "print('old')\n")
    before = tree(board)
    with board.power_on() as running:
        running.wait_repl()
        report = deploy(running.port, content_of(batch, force=True), dry_run=True)
        assert running.flash_writes == 0
    assert "/main.py" in report["written"]
    assert report["kept"] == {"/main.py": "/main.py.old"}
    assert report["device_info"] == "new"
    assert tree(board) == before


def test_the_credential_stays(board, batch):
    old = make_info(batch) | {"key_deviceinfo": SECRET}
    board.write_file("/device_info.json", json.dumps(old))
    make_info(batch, region="europe")
    with board.power_on() as running:
        running.wait_repl()
        assert deploy(running.port, content_of(batch))["device_info"] == "kept"
        assert deploy(running.port, content_of(batch))["device_info"] == "same"
    new = json.loads(board.read_file("/device_info.json"))
    assert new["key_deviceinfo"] == SECRET
    assert new["region"] == "europe"


def test_a_burnt_product_secret_stays_burnt(board, batch):
    old = make_info(batch, burnProductSecret=True)
    old |= {"key_deviceinfo": SECRET, "productSecret": ""}
    board.write_file("/device_info.json", json.dumps(old))
    with board.power_on() as running:
        running.wait_repl()
        assert deploy(running.port, content_of(batch))["device_info"] == "same"
        make_info(batch, burnProductSecret=True, region="europe")
        assert deploy(running.port, content_of(batch))["device_info"] == "kept"
    new = json.loads(board.read_file("/device_info.json"))
    assert new["productSecret"] == ""
    assert new["region"] == "europe"


@pytest.mark.parametrize(
    "change, code",
    [
        ({"productId": "ANOTHERONE"}, "config.other"),
        ({"deviceName": "another"}, "config.other"),
        ({"auth_mode": "CERT"}, "config.other"),
        ({"key_deviceinfo": {"deviceSecret": "BBBBBBBBBBBBBBBBBBBBBA=="}}, "config.two"),
    ],
)
def test_somebody_elses_file_is_refused_before_anything_is_written(board, batch, change, code):
    old = make_info(batch) | {"key_deviceinfo": SECRET}
    board.write_file("/device_info.json", json.dumps(old))
    make_info(batch, **change)
    before = tree(board)
    with board.power_on() as running:
        running.wait_repl()
        with pytest.raises(BoardError) as caught:
            deploy(running.port, content_of(batch))
        assert running.flash_writes == 0
    assert caught.value.code == code
    assert tree(board) == before


def test_a_damaged_file_is_put_aside(board, batch):
    board.write_file("/device_info.json", '{"key_deviceinfo": {"deviceSecret": "AAAA')
    with board.power_on() as running:
        running.wait_repl()
        assert deploy(running.port, content_of(batch))["device_info"] == "damaged"
    assert b"AAAA" in board.read_file("/device_info.json.bad")
    assert json.loads(board.read_file("/device_info.json"))["productId"] == "ABCDEFGHIJ"


def test_the_clock_is_set(running, batch):
    deploy(running.port, content_of(batch))
    with batchfolder.Link(running.port) as link:
        seconds = int(link.exec("import time; print(time.time() + 946684800)"))
    assert abs(seconds - time.time()) <= 2


def test_a_flash_that_is_full_says_so_and_keeps_the_old_program(tmp_path, batch):
    board = Board.new(tmp_path / "small", flash_size="96K", wifi={})
    board.write_file("/main.py", "print('old')\n")
    with board.power_on() as running:
        running.wait_repl()
        with pytest.raises(BoardError) as caught:
            deploy(running.port, content_of(batch, force=True))
        assert caught.value.code == "board.full"
        running.power_cycle()
        running.wait_for("old")


@pytest.mark.ci
def test_a_flash_that_lies_is_noticed(board, batch):
    """The board's own digest of what it wrote is what counts."""
    what = content_of(batch)
    with board.power_on() as running, batchfolder.Link(running.port) as link:
        planned = plan.plan(what, apply.take_inventory(link, what))
        planned.write["/main.py.dynreg-new"] = what.others["/main.py"][:-1] + b"!"
        with pytest.raises(BoardError, match=r"main\.py.* does not read back") as caught:
            apply.apply(link, planned)
        assert caught.value.code == "board.verify"
    assert "/main.py" not in tree(board)


@pytest.mark.ci
def test_ctrl_c_leaves_a_board_that_runs_its_program(board, batch):
    board.write_file("/main.py", "import time\nprint('busy')\nwhile True:\n    time.sleep(1)\n")
    with board.power_on() as running:
        running.wait_for("busy")
        process = subprocess.Popen(
            [*DYNREG, "deploy", "--force", "--port", board.folder / "port"],
            cwd=batch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.wait_change(10)
        deadline = time.monotonic() + 20
        while running.flash_writes < 20 and time.monotonic() < deadline:
            running.wait_change(0.1)
        process.send_signal(2)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 130, output
        assert "Traceback" not in output, output
        running.wait_for("busy")
        report = deploy(str(board.folder / "port"), content_of(batch, force=True))
        assert report["unchanged"] < len(files_of(content_of(batch)))
    shutil.rmtree(batch)
