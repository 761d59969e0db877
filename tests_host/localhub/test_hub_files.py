"""What a hub keeps in its data directory: both halves of a CA, and nothing for others' eyes."""

import os
import shutil
import signal
import subprocess
import sys
from threading import Timer
from types import SimpleNamespace

import pytest
from hubclient import PRODUCT_ID, post, register
from hubpki import Authority, key_pem, new_key

from dynreg_tools.hub import Hub, HubError
from tests_host.modes import UMASKS, readable, umask

OPTIONS = {"cert_key": "ec", "device_key": "ec", "auth_mode": "cert", "product_id": PRODUCT_ID}
PAIRS = [("ca.pem", "ca_key.pem"), ("device_ca.pem", "device_ca_key.pem")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data directory with both CAs."""
    data = tmp_path_factory.mktemp("made") / "data"
    with Hub(data, **OPTIONS):
        pass
    return data


@pytest.fixture
def data(made, tmp_path):
    return shutil.copytree(made, tmp_path / "data")


def contents(data):
    return {path.name: path.read_bytes() for path in data.glob("*.pem") if path.is_file()}


def sentence(data):
    """What a hub says that does not start here; it has left both CAs as they are."""
    before = contents(data)
    with pytest.raises(HubError) as caught:
        Hub(data, **OPTIONS).start()
    assert contents(data) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("pair", PAIRS, ids=["servers", "devices"])
@pytest.mark.parametrize("missing", [0, 1], ids=["certificate", "key"])
def test_half_of_a_ca(data, pair, missing):
    (data / pair[missing]).unlink()
    assert f"{pair[missing]} is missing beside {pair[1 - missing]}" in sentence(data)
    assert not (data / pair[missing]).exists()


DAMAGE = {
    "empty": (lambda text: b"", ("is not a certificate in PEM", "is not an unencrypted key")),
    "cut off": (
        lambda text: text[: len(text) // 2],
        ("is not a certificate in PEM", "is not an unencrypted key"),
    ),
    "bytes": (lambda text: b"\xff\0" * 9, ("is not a certificate", "is not an unencrypted key")),
    "another's": (
        lambda text: (Authority().pem if b"CERT" in text else key_pem(new_key())).encode(),
        ("do not belong together", "do not belong together"),
    ),
}


@pytest.mark.parametrize("pair", PAIRS, ids=["servers", "devices"])
@pytest.mark.parametrize("half", [0, 1], ids=["certificate", "key"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_ca(data, pair, half, damage):
    change, words = DAMAGE[damage]
    path = data / pair[half]
    path.write_bytes(change(path.read_bytes()))
    assert words[half] in sentence(data)


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_a_ca_that_cannot_be_read(data, name):
    (data / name).unlink()
    (data / name).mkdir()
    assert f"cannot read {data / name}" in sentence(data)
    (data / name).rmdir()
    (data / name).symlink_to("nowhere")
    assert f"cannot read {data / name}" in sentence(data)


def test_both_halves_gone_is_a_new_ca(data):
    old = (data / "ca.pem").read_bytes()
    for name in PAIRS[0]:
        (data / name).unlink()
    with Hub(data, **OPTIONS) as hub:
        assert hub.ca_pem.read_bytes() != old


@pytest.mark.parametrize("pair", PAIRS, ids=["servers", "devices"])
def test_a_kill_between_the_halves(data, pair):
    """The key is written under another name until its certificate is there."""
    pem, key = data / pair[0], data / pair[1]
    content = pem.read_bytes(), key.read_bytes()
    key.rename(key.with_name(key.name + ".new"))
    with Hub(data, **OPTIONS):
        assert (pem.read_bytes(), key.read_bytes()) == content
    key.rename(key.with_name(key.name + ".new"))
    pem.unlink()
    with Hub(data, **OPTIONS):
        assert key.read_bytes() != content[1]


@pytest.mark.parametrize("mask", UMASKS)
def test_nothing_is_readable_by_others(tmp_path, mask):
    data = tmp_path / "data"
    with umask(mask), Hub(data, **OPTIONS) as hub:
        post(hub)
        assert {path.name for path in data.iterdir()} >= {"hub.db", "hub.db-wal"}
        assert readable(data) == {}, "while it runs, with SQLite's own files"
    assert readable(data) == {}


def test_files_of_an_earlier_edition_are_narrowed(data):
    for path in data.iterdir():
        path.chmod(0o644)
    with Hub(data, **OPTIONS):
        pass
    assert readable(data) == {}


KILLED = """
import sys
sys.path.insert(0, sys.argv[2])
from dynreg_tools.hub import Hub
from hubclient import new_secret
with Hub(sys.argv[1], cert_key="ec", register_limit=100000) as hub:
    print(hub.http, hub.product_id, hub.product_secret, flush=True)
    sys.stdin.read()
"""


@pytest.mark.ci
@pytest.mark.process
def test_a_kill_at_any_moment_loses_nothing_told(tmp_path):
    """Of ten kills in the midst of registrations each secret that a device has got is kept."""
    told = {}
    for turn in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, tmp_path, os.path.dirname(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        ) as process:
            words = process.stdout.readline().decode().split()
            hub = SimpleNamespace(http=words[0], product_id=words[1], product_secret=words[2])
            timer = Timer(0.05 + turn * 0.013, process.send_signal, [signal.SIGKILL])
            timer.start()
            try:
                for number in range(10000):
                    name = f"device-{turn}-{number % 7}"  # some of them again, for a new secret
                    asked = name
                    told[name] = register(hub, name)
            except OSError:
                told.pop(asked, None)  # whichever of its two secrets is good now, nobody told
            timer.join()
        with Hub(tmp_path, cert_key="ec") as after:
            kept = {device["name"]: device["psk"] for device in after.devices()}
            assert {name: kept.get(name) for name in told} == told
            assert "Payload" in post(after, "goes-on")
    assert len(told) > 10
