"""A registered board and `dynreg flash`: a virtual board at its REPL, behind the fake loader; and
`dynreg identity`, which is the way back after its flash was erased.
"""

import json
import stat
from dataclasses import replace

import pytest

from dynreg_tools import cli, demo
from dynreg_tools.boards import identityfile
from dynreg_tools.virtualboard import Board
from tests_host.fleet.firmware_file import firmware
from tests_host.fleet.romloader import RomLoader
from tests_host.flow.conftest import (  # noqa: F401
    WIFI,
    bench,
    board_image,
    deployed,
    hub_options,
    report_of,
)

pytestmark = pytest.mark.credential_over_the_cable

EC = {"auth_mode": "cert", "device_key": "ec"}
modes = pytest.mark.parametrize("hub", [{}, EC], ids=["key", "cert"], indirect=True)


@pytest.fixture
def dynreg(capsys):
    """Runs the command; (exit code, rows). Fails when it printed a secret of the hub."""

    def run(*arguments, secrets=()):
        code = cli.main([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        for secret in secrets:
            assert secret not in out + err
        if err:
            assert err.startswith("dynreg: ")
            assert err.count("\n") == 1
            return code, [err]
        return code, [json.loads(line) for line in out.splitlines()]

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(firmware("esp32"))
    return path


def registrations(hub):
    return [event["event"] for event in hub.events].count("registered")


def secrets_of(bench):  # noqa: F811
    psks = {device["psk"] for device in bench.hub.devices()}
    return [secret for secret in {bench.hub.product_secret, WIFI["bench"], *psks} if secret]


def register(bench):  # noqa: F811
    """Boots once with the hub; from then on the board stands at its prompt."""
    assert report_of(bench.boot())["registered"]
    bench.board.remove_file("/main.py")


def identity_of(board):
    """All that makes the board itself."""
    names = board.listdir("/certs") if "certs" in board.listdir("/") else []
    paths = ["/device_info.json"]
    paths += ["/certs/" + name for name in names if name.startswith("device_")]
    nvs = board.folder / "nvs.bin"
    records = [line for line in nvs.read_text().splitlines() if "\tcredential\t" in line]
    return {path: board.read_file(path) for path in paths}, records


def test_a_dry_run_leaves_a_registered_board_as_it_is(bench, dynreg, file):  # noqa: F811
    bench.boot()
    before = identity_of(bench.board)
    with RomLoader("esp32", board=bench.board) as rom:
        code, (row,) = dynreg(
            "flash", "--port", rom.port, "--firmware", file, "--dry-run", secrets=secrets_of(bench)
        )
        assert rom.commands == []  # it was asked at its REPL and not even reset
    assert code == 0
    assert row["outcome"] == "dry run"
    assert row["credential"] == "kept"
    assert row["device"] == bench.name
    assert row["mac"] == bench.board.mac
    assert identity_of(bench.board) == before
    assert not report_of(bench.boot())["registered"]
    assert registrations(bench.hub) == 1


def test_flashing_without_erase_keeps_the_credential(bench, dynreg, file):  # noqa: F811
    bench.boot()
    before = identity_of(bench.board)
    with RomLoader("esp32", board=bench.board, mac=bench.board.unique_id.hex()) as rom:
        code, (row,) = dynreg("flash", "--port", rom.port, "--firmware", file)
        assert [at for at, _ in rom.written] == [0x1000, 0xF000]  # all but NVS
    assert code == 0
    assert row["outcome"] == "flashed"
    assert row["credential"] == "kept"
    assert identity_of(bench.board) == before
    assert not report_of(bench.boot())["registered"]


@pytest.mark.ci
@modes
def test_erasing_a_registered_board_takes_its_name(bench, dynreg, file):  # noqa: F811
    register(bench)
    before = identity_of(bench.board)
    with RomLoader("esp32", board=bench.board, mac=bench.board.unique_id.hex()) as rom:
        for words in ((), ("--erase-registered", "esp32-000000000000")):
            code, (row,) = dynreg(
                "flash", "--port", rom.port, "--firmware", file, "--erase", *words
            )
            assert code == 1, row
            assert row["outcome"] == "refused", row
            assert row["error"] == "flash.registered"
            assert f"holds the credential of {bench.hub.product_id}/{bench.name}" in row["message"]
            assert "'--save-identity FOLDER' keeps a copy first" in row["message"]
            assert f"--erase-registered {bench.name}" in row["message"]
        assert rom.commands == []
    assert identity_of(bench.board) == before


@pytest.mark.ci
@modes
def test_saved_erased_restored_it_logs_in_with_its_old_credential(
    bench,  # noqa: F811
    dynreg,
    file,
    tmp_path,
):
    register(bench)
    before, safe = identity_of(bench.board), tmp_path / "safe"
    mac = bench.board.unique_id.hex()
    with RomLoader("esp32", board=bench.board, mac=mac) as rom:
        words = ("--erase", "--erase-registered", bench.name)
        ways = ("--save-identity", safe, "--restore-identity", safe)
        code, (row,) = dynreg(
            "flash",
            "--port",
            rom.port,
            "--firmware",
            file,
            *words,
            *ways,
            secrets=secrets_of(bench),
        )
        assert rom.erased, row
    assert code == 0, row
    assert row["credential"] == "restored", row
    board = Board(bench.board.folder)
    assert board.listdir("/") == sorted({"boot.py", "device_info.json"} | _certs(before))
    assert identity_of(board) == before
    assert stat.S_IMODE((safe / f"{mac}.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(safe.stat().st_mode) == 0o700
    with board.power_on() as running:  # the batch's files come anew, as a bench would bring them
        running.wait_repl()
        batch = json.loads(demo.batch_file(bench.hub, WIFI["bench"]))
        batch["auth_mode"] = bench.hub.auth_mode.upper()
        demo.deploy(running.port, tmp_path, json.dumps(batch), bench.hub.ca_der)
    bench.board = board
    report = report_of(bench.boot())
    assert report["connected"]
    assert not report["registered"]
    assert registrations(bench.hub) == 1


def _certs(before):
    return {"certs"} if len(before[0]) > 1 else set()


def test_an_identity_is_saved_and_restored_by_itself(bench, dynreg, tmp_path):  # noqa: F811
    register(bench)
    before, safe = identity_of(bench.board), tmp_path / "safe"
    with bench.board.power_on() as running:
        running.wait_repl()
        code, (row,) = dynreg(
            "identity", "save", safe, "--port", running.port, secrets=secrets_of(bench)
        )
        assert code == 0, row
        assert row["outcome"] == "saved", row
        code, (row,) = dynreg("identity", "restore", safe, "--port", running.port)
        assert code == 0  # it is there already: nothing to lose
    bench.board.remove_file("/device_info.json")
    (bench.board.folder / "nvs.bin").unlink()
    with bench.board.power_on() as running:
        running.wait_repl()
        code, (row,) = dynreg("identity", "restore", safe, "--port", running.port, "--dry-run")
        assert code == 0
        assert row["outcome"] == "dry run"
        code, (output,) = dynreg("identity", "save", tmp_path / "other", "--port", running.port)
        assert code == 1
        assert "holds no credential: nothing to save" in output  # so it was dry
        code, (row,) = dynreg(
            "identity", "restore", safe, "--port", running.port, secrets=secrets_of_file(safe)
        )
        assert code == 0
        assert row["outcome"] == "restored"
        assert row["owner"] == f"{bench.hub.product_id}/{bench.name}"
    assert identity_of(bench.board) == before


def secrets_of_file(folder):
    (path,) = folder.glob("*.json")
    packed = json.loads(path.read_text())
    return [packed["nvs"], *packed["files"].values()]


@pytest.mark.ci
def test_an_identity_goes_to_no_other_board_and_over_no_other_credential(
    bench,  # noqa: F811
    dynreg,
    tmp_path,
):
    register(bench)
    safe, mac = tmp_path / "safe", bench.board.unique_id.hex()
    with bench.board.power_on() as running:
        running.wait_repl()
        assert dynreg("identity", "save", safe, "--port", running.port)[0] == 0
    other = Board.new(tmp_path / "other", mac="24:6f:28:00:00:99")
    with other.power_on() as running:
        code, (output,) = dynreg("identity", "restore", safe, "--port", running.port)
        assert code == 1
        assert "this board's identity was not saved there" in output
        (safe / f"{mac}.json").rename(safe / "246f28000099.json")
        code, (output,) = dynreg("identity", "restore", safe, "--port", running.port)
        assert code == 1
        assert f"this board is 24:6f:28:00:00:99, the identity is of {bench.board.mac}" in output
    (safe / "246f28000099.json").rename(safe / f"{mac}.json")
    info = bench.info()
    info["key_deviceinfo"] = {"deviceSecret": "bmV3ZXIgc2VjcmV0"}
    bench.board.write_file("/device_info.json", json.dumps(info))
    (bench.board.folder / "nvs.bin").unlink()
    with bench.board.power_on() as running:
        running.wait_repl()
        code, (output,) = dynreg("identity", "restore", safe, "--port", running.port)
        assert code == 1
        assert "holds another credential than the file" in output
    assert bench.info()["key_deviceinfo"]["deviceSecret"] == "bmV3ZXIgc2VjcmV0"


def test_a_damaged_identity_is_refused_and_an_older_one_kept(bench, dynreg, tmp_path):  # noqa: F811
    register(bench)
    safe, mac = tmp_path / "safe", bench.board.unique_id.hex()
    path = safe / f"{mac}.json"
    with bench.board.power_on() as running:
        running.wait_repl()
        assert dynreg("identity", "save", safe, "--port", running.port)[0] == 0
        whole = path.read_text()
        for bad in (whole[:-20], "[]", "{}", whole.replace('"nvs": "', '"nvs": "AAAA')):
            path.write_text(bad)
            code, (output,) = dynreg("identity", "restore", safe, "--port", running.port)
            assert code == 1
            assert f"{path}: is no saved identity, or a damaged one" in output
        # the damaged one is put aside, not overwritten
        assert dynreg("identity", "save", safe, "--port", running.port)[0] == 0
    assert json.loads(path.read_text())["files"] == json.loads(whole)["files"]
    assert len(list(safe.glob("*.json"))) == 2
    older = replace(identityfile.load(path), owner="PRODUCT123/before")
    identityfile.save(tmp_path / "older", older)
    identityfile.save(tmp_path / "older", identityfile.load(path))
    identityfile.save(
        tmp_path / "older", identityfile.load(path)
    )  # the same once more: no third file
    assert {identityfile.load(file).owner for file in (tmp_path / "older").glob("*.json")} == {
        "PRODUCT123/before",
        f"{bench.hub.product_id}/{bench.name}",
    }


def test_a_folder_that_others_can_read_is_not_used(bench, dynreg, tmp_path):  # noqa: F811
    register(bench)
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with bench.board.power_on() as running:
        running.wait_repl()
        code, (output,) = dynreg("identity", "save", folder, "--port", running.port)
    assert code == 1
    assert f"{folder}: others may look into it" in output
    assert not list(folder.iterdir())


def test_a_board_that_runs_a_program_is_asked_and_goes_on(bench, dynreg, file):  # noqa: F811
    bench.boot()
    bench.board.write_file("/main.py", "import time\nprint('>>> ')\nwhile True: time.sleep(1)\n")
    with RomLoader("esp32", board=bench.board) as rom:
        code, (row,) = dynreg("flash", "--port", rom.port, "--firmware", file, "--erase")
    assert code == 1
    assert row["error"] == "flash.registered"
