"""The search for secrets finds each of them, in each form and wherever it was printed.

One pytest runs LEAKS, each of whose tests but the last gives a secret away in another way.
"""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests_host.secret_search import Search, forms

ROOT = Path(__file__).resolve().parents[1]

LEAKS = """
import base64
import logging
import secrets
import sys

import pytest

from tests_host.corpus import canaries
from tests_host.localhub import hubclient
from dynreg_tools.hub import Hub

PRODUCT_SECRET = canaries.PRODUCT_SECRET.encode()


def test_clear():
    print(canaries.PRODUCT_SECRET)


def test_bytes():
    print(PRODUCT_SECRET)


def test_hex():
    print(PRODUCT_SECRET.hex())


def test_upper_case_hex():
    print(PRODUCT_SECRET.hex().upper())


@pytest.mark.parametrize("before", [0, 1, 2])
def test_base64(before):
    print(base64.b64encode(b"?" * before + PRODUCT_SECRET + b"!"))


def test_stderr():
    print(canaries.PRODUCT_SECRET, file=sys.stderr)


def test_log():
    logging.warning("%s", canaries.PRODUCT_SECRET)


def test_raised():
    raise ValueError(canaries.PRODUCT_SECRET)


def test_report():
    shown = canaries.PRODUCT_SECRET
    assert shown == "x"


@pytest.fixture
def late():
    yield
    print(canaries.PRODUCT_SECRET)


def test_fixture(late):
    pass


@pytest.mark.parametrize("name", ["DEVICE_SECRET", "WIFI_PASSWORD", "PRIVATE_KEY"])
def test_canary(name):
    print(getattr(canaries, name))


@pytest.fixture
def hub():
    options = {"product_id": "ABCDEFGHIJ", "cert_key": "ec", "device_key": "ec"}
    with Hub(**options) as hub:
        yield hub


def test_hub_product_secret(hub):
    print(hub.product_secret)


def test_hub_device_secret(hub):
    print(hubclient.register(hub))


def test_hub_key_in_hex(hub):
    print(base64.b64decode(hubclient.register(hub)).hex())


def test_hub_typed_secret(hub):
    secret = base64.b64encode(secrets.token_bytes(16)).decode()
    hub.add_device("typed", secret)
    print(secret)


@pytest.mark.parametrize("form", [str, repr])
def test_hub_private_key(form):
    with Hub(product_id="ABCDEFGHIJ", cert_key="ec", device_key="ec", auth_mode="cert") as hub:
        print(form(hubclient.register_certificate(hub)[1]))


def test_board(tmp_path):
    from dynreg_tools.virtualboard import Board

    Board.new(tmp_path / "made", wifi={"home": "the password of home"})
    board = Board(tmp_path / "made")
    board.write_file("/main.py", "print('it is the password of home')")
    with board.power_on() as running:
        running.wait_repl()


def test_good(hub):
    print(hubclient.PRODUCT_ID, len(hub.product_secret), len(canaries.PRODUCT_SECRET))
"""
PRODUCT = "the canary product secret in "
EXPECTED = {
    "clear": PRODUCT + "clear",
    "bytes": PRODUCT + "clear",
    "hex": PRODUCT + "hex",
    "upper_case_hex": PRODUCT + "hex",
    "base64[0]": PRODUCT + "base64",
    "base64[1]": PRODUCT + "base64",
    "base64[2]": PRODUCT + "base64",
    "stderr": PRODUCT + "clear",
    "log": PRODUCT + "clear",
    "raised": PRODUCT + "clear",
    "report": PRODUCT + "clear",
    "fixture": PRODUCT + "clear",
    "canary[DEVICE_SECRET]": "the canary device secret in clear",
    "canary[WIFI_PASSWORD]": "the canary Wi-Fi password in clear",
    "canary[PRIVATE_KEY]": "a line of the canary private key in clear",
    "hub_product_secret": "a product secret in clear",
    "hub_device_secret": "a device secret in clear",
    "hub_key_in_hex": "a device secret's key in hex",
    "hub_typed_secret": "a device secret in clear",
    "hub_private_key[str]": "a line of a device's private key in clear",
    "hub_private_key[repr]": "a line of a device's private key in clear",
    "board": "a Wi-Fi password in clear",
}
BOARD = pytest.param("board", marks=pytest.mark.skipif(sys.platform == "win32", reason="no ptys"))


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What pytest prints of LEAKS."""
    folder = tmp_path_factory.mktemp("leaks")
    (folder / "test_leaks.py").write_text(LEAKS, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests_host.secret_search", "-rA"),
            *("-p", "no:cacheprovider", "-c", folder / "pytest.ini", "--color=no", folder),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return result.stdout


@pytest.mark.parametrize("name", [BOARD if name == "board" else name for name in EXPECTED])
def test_a_leak_fails_its_test(output, name):
    report = re.search(rf"^_+ .*test_{re.escape(name)} _+$(.*?)^_+ ", output, re.M | re.S)
    assert report
    assert "secrets in what was printed or raised: " in report[1]
    assert EXPECTED[name] in report[1]
    assert re.search(rf"^(FAILED|ERROR) \S+::test_{re.escape(name)}( |$)", output, re.M)


def test_what_gives_nothing_away_passes_and_no_secret_is_shown(output):
    assert re.findall(r"^PASSED \S+::test_(\S+)", output, re.M) == ["fixture", "good"]
    search = Search()
    search.begin()
    assert search.hits(output) == []
    assert "***" in output


def test_base64_is_found_at_every_place_in_a_longer_text():
    secret = b"0123456789abcdefghij"
    search = Search()
    search.add("it", secret)
    for before in range(9):
        for after in range(9):
            text = base64.b64encode(b"\xa5" * before + secret + b"\x5a" * after).decode()
            assert search.hits(text) == ["it in base64"], (before, after)
    assert len(forms(secret)) == 5
    assert search.hits("0123456789abcdefghi") == []
