"""A person's mistakes, found before a board is written to and before the cloud hears of them."""

import threading
from contextlib import ExitStack

import pytest

from dynreg_tools.boards import batch, mistakes
from dynreg_tools.boards.errors import BoardError
from dynreg_tools.boards.report import Report
from tests_host.commands import dynreg
from tests_host.fleet.batchfolder import make_info

SECRET = "AAAAAAAAAAAAAAAAAAAAAA=="
ONE = {"port": "p", "mac": "aa:bb:cc", "device": "lamp", "outcome": "good"}
TWO = ("--port", "none", "nowhere")  # no port is opened by what is refused before


@pytest.mark.parametrize(
    "change, words",
    [
        ({"key_deviceinfo": {"deviceSecret": SECRET}}, "key_deviceinfo.deviceSecret is filled in"),
        (
            {"cert_deviceinfo": {"devCertFile": "x.pem"}},
            "cert_deviceinfo.devCertFile is filled in",
        ),
        ({"cert_deviceinfo": {"devPrivateKeyFile": "/x"}}, "devPrivateKeyFile is filled in"),
        ({"deviceName": "the-lamp"}, "deviceName is the same for every board"),
    ],
)
@pytest.mark.parametrize("command", ["deploy", "provision"])
def test_one_boards_file_is_refused_for_several(tmp_path, change, words, command):
    make_info(tmp_path, **change)
    done = dynreg(command, *TWO, cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith("dynreg: device_info.json: ")
    assert words in done.err
    assert done.err.endswith("; here are 2 boards\n")
    assert SECRET not in done.out + done.err


@pytest.mark.parametrize("change", [{"deviceName": "the-lamp"}, {}])
def test_it_is_right_for_one(tmp_path, change):
    make_info(tmp_path, **change)
    mistakes.check(batch.read(tmp_path / "device_info.json"), 1)


def test_a_private_key_among_the_certificates_is_one_boards(tmp_path):
    make_info(tmp_path)
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "mine.pem").write_text("-----BEGIN EC PRIVATE KEY-----\n")
    read = batch.read(tmp_path / "device_info.json")
    with pytest.raises(BoardError, match=r"mine\.pem is a private key"):
        mistakes.check(read, 2)


def test_a_name_that_another_board_has_is_refused_and_its_own_is_not(tmp_path):
    report = Report(tmp_path / "r.csv")
    report.add(dict.fromkeys(("product", "error"), "") | ONE)
    report.add(ONE | {"mac": "aa:bb:dd", "outcome": "failed", "error": "config.name"})
    report.add(ONE | {"mac": "aa:bb:ee", "outcome": "failed", "error": "timeout"})
    bench = mistakes.Bench(Report(tmp_path / "r.csv").names("ABCDEFGHIJ"))
    with bench.place("p", "aa:bb:cc", "lamp"):
        pass
    with (
        pytest.raises(BoardError, match="the board aa:bb:cc has that") as caught,
        bench.place("q", "aa:bb:dd", "lamp"),
    ):
        pass
    assert caught.value.code == "config.name"


def test_the_same_name_in_another_product_is_another_device(tmp_path):
    report = Report(tmp_path / "r.csv")
    report.add(ONE | {"product": "ABCDEFGHIJ"})
    assert report.names("ABCDEFGHIJ") == {"lamp": "aa:bb:cc"}
    assert report.names("ANOTHERONE") == {}


def test_two_boards_with_one_mac_are_not_worked_on_at_once():
    bench = mistakes.Bench({})
    with bench.place("p", "aa:bb:cc", "lamp"):
        with (
            pytest.raises(BoardError, match="the MAC of the board at p") as caught,
            bench.place("q", "aa:bb:cc", "lamp"),
        ):
            pass
        assert caught.value.code == "board.twice"
    with bench.place("q", "aa:bb:cc", "lamp"):  # the same board in another port
        pass


def test_of_many_at_once_one_gets_the_name():
    bench = mistakes.Bench({})
    got = []
    begin = threading.Barrier(8)

    def work(n):
        with ExitStack() as stack:
            begin.wait(10)
            try:
                stack.enter_context(bench.place(f"p{n}", f"aa:{n:02x}:00", "lamp"))
                got.append(n)
            except BoardError:
                pass

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_provision_leaves_a_board_alone_whose_name_another_has(bench):
    bench.configure(deviceName="lamp")
    Report(bench.folder / "r.csv").add(ONE)
    running = bench.on(bench.board("b0"))
    result = bench.dynreg("provision", "--port", "boards/b0/port", "--report", "r.csv", "--json")
    assert result.code == 1
    assert result.rows[0]["error"] == "config.name"
    assert running.flash_writes == 0
    assert bench.hub.requests == []
