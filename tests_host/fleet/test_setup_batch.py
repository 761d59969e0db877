"""A batch whose boards get their Wi-Fi by services/setup: its key, its labels, its deploys."""

import json
import stat

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from dynreg_tools.boards import batch, labels
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.labels import Label, WifiLabel
from dynreg_tools.boards.redaction import HIDDEN, Redaction
from dynreg_tools.boards.report import Report
from dynreg_tools.virtualboard import Board
from tests_host.commands import dynreg
from tests_host.fleet.batchfolder import content_of, deploy, make_info

KEY = "canary-setup-key-0123456789"
MAC = "24:6f:28:5d:5a:9e"
NAME = "esp32-246f285d5a9e"
SETUP = "from dynreg.services import setup\nprint('access point', setup.access_point())\n"


@pytest.mark.ci
def test_init_makes_a_key_of_its_own_for_each_batch(tmp_path):
    keys = set()
    for name in ("one.json", "two.json"):
        done = dynreg(
            *("init", "--setup", "--file", name, "--product-id", "ABCDEFGHIJ"),
            cwd=tmp_path,
            DYNREG_PRODUCT_SECRET="0123456789abcdef",
        )
        assert done.code == 0, done
        values = json.loads((tmp_path / name).read_text())
        assert "wifi" not in values
        assert values["setup"].keys() == {"key"}
        assert values["setup"]["key"] not in done.out + done.err
        assert len(values["setup"]["key"]) >= 32
        keys.add(values["setup"]["key"])
    assert len(keys) == 2


@pytest.mark.ci
def test_a_mistake_in_setup_is_told_as_the_board_would(tmp_path):
    for own, says in (({}, "setup.key"), ({"password": "short"}, "setup.password"), ([], "setup")):
        make_info(tmp_path, setup=own)
        with pytest.raises(BoardError, match=says) as found:
            batch.read(tmp_path / "device_info.json")
        assert found.value.code == "config"


def test_what_setup_holds_is_no_boards_to_tell(tmp_path):
    make_info(tmp_path, setup={"key": KEY, "name": "our lamp", "password": "label word"})
    hide = Redaction(batch.read(tmp_path / "device_info.json"))
    assert hide(f"key {KEY}, of our lamp, is label word") == (
        f"key {HIDDEN}, of our lamp, is {HIDDEN}"
    )


@pytest.fixture
def folder(tmp_path):
    """With a report of one good board, and its batch's file."""
    make_info(tmp_path, setup={"key": KEY})
    row = {"port": "p0", "mac": MAC, "device": NAME, "outcome": "good", "product": "ABCDEFGHIJ"}
    Report(tmp_path / "batch.csv").add(row)
    return tmp_path


WIFI = ("--wifi", "--device-info", "device_info.json")


def test_the_label_and_the_board_agree(folder):
    done = dynreg("labels", "batch.csv", "--out", "png/", *WIFI, "--json", cwd=folder)
    assert [row.get("network") for row in done.rows] == [None, NAME]
    (code,) = zxingcpp.read_barcodes(Image.open(folder / done.rows[1]["file"]).convert("L"))
    board = Board.new(folder / "board", mac=MAC, wifi={})
    with board.power_on() as running:
        running.wait_repl()
        (folder / "app").mkdir()
        (folder / "app" / "main.py").write_text(SETUP)
        deploy(running.port, content_of(folder, folder / "app"))
        running.reset()
        said = running.wait_for("access point ('")
        running.wait_repl()
        said = running.output.rpartition("access point ")[2].split(")")[0]
    name, password = said.strip("(").replace("'", "").split(", ")
    assert code.text == f"WIFI:T:WPA;S:{name};P:{password};;"
    assert password not in done.out + done.err


def test_labels_with_passwords_are_their_owners_alone(folder):
    done = dynreg("labels", "batch.csv", "--out", "l.pdf", *WIFI, cwd=folder)
    assert done.code == 0, done
    assert stat.S_IMODE((folder / "l.pdf").stat().st_mode) == 0o600
    document = pypdfium2.PdfDocument(folder / "l.pdf")
    assert len(document) == 2
    document.close()


def test_labels_that_cannot_be_made(folder):
    done = dynreg("labels", "batch.csv", "--out", "l.pdf", "--wifi", cwd=folder)
    assert done.code == 1, done
    assert "--device-info" in done.err
    for own, says in ((None, "init --setup"), ({"key": KEY, "name": "家"}, "ASCII")):
        make_info(folder, **({"setup": own} if own else {}))
        done = dynreg("labels", "batch.csv", "--out", "l.pdf", *WIFI, cwd=folder)
        assert done.code == 1, done
        assert says in done.err
    assert not (folder / "l.pdf").exists()


def test_the_code_for_a_camera_escapes_its_marks():
    label = WifiLabel("ABCDEFGHIJ", NAME, MAC, 'a:b;c,d"e\\f', "abcdefgh")
    assert label.text == r"WIFI:T:WPA;S:a\:b\;c\,d\"e\\f;P:abcdefgh;;"
    assert "abcdefgh" not in repr(label)
    given = labels.of_network(Label("P", "d" * 40, MAC), _Named())
    assert (given.network, given.password) == ("d" * 32, "abcdefgh")


class _Named(batch.Batch):
    def __init__(self):
        super().__init__(None, {"setup": {"password": "abcdefgh"}}, None)


def test_a_new_deploy_leaves_the_wifi_that_a_person_gave(tmp_path):
    make_info(tmp_path, setup={"key": KEY})
    board = Board.new(tmp_path / "board", wifi={})
    given = {"ssid": '家 "quoted" \U0001f600', "password": "abcd\\efgh"}
    own = json.loads((tmp_path / "device_info.json").read_text())
    board.write_file("/device_info.json", json.dumps(own | {"wifi": given}, ensure_ascii=False))
    make_info(tmp_path, setup={"key": KEY, "after": 60}, productSecret=own["productSecret"])
    with board.power_on() as running:
        running.wait_repl()
        deploy(running.port, content_of(tmp_path))
        deploy(running.port, content_of(tmp_path))
    found = json.loads(board.read_file("/device_info.json"))
    assert found["wifi"] == given
    assert found["setup"]["after"] == 60
    with board.power_on() as running:
        make_info(tmp_path, setup={"key": KEY}, wifi={"ssid": "bench"})
        deploy(running.port, content_of(tmp_path))
    assert json.loads(board.read_file("/device_info.json"))["wifi"] == {"ssid": "bench"}
