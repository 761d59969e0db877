"""`dynreg bundle`, and what a hub's commands do with what it makes."""

import hashlib
import json
import re

import pytest

from dynreg_tools.bundles import pack
from tests_host.commands import dynreg

MAIN = "from dynreg.services import ota\nfrom dynreg.services.config import Config\nprint(1)\n"


@pytest.fixture
def app(tmp_path):
    folder = tmp_path / "my_app"
    (folder / "web").mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "web" / "page.html").write_text("<p>")
    return folder


def refused(result, *words):
    assert result.code == 1
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("dynreg: ")
    for word in words:
        assert word in line


def test_a_bundle_and_what_is_in_it(app, tmp_path):
    made = dynreg("bundle", app, "--version", "1.1", cwd=tmp_path)
    data = (tmp_path / "my_app-1.1.bundle").read_bytes()
    md5 = hashlib.md5(data).hexdigest()
    said = (
        f"my_app-1.1.bundle: version 1.1, {len(data)} bytes, MD5 {md5}; confirmed within 3 starts"
    )
    assert said in made.out
    assert dynreg("bundle", "--show", "my_app-1.1.bundle", cwd=tmp_path).out == made.out
    [shown] = dynreg("bundle", "--show", "my_app-1.1.bundle", "--json", cwd=tmp_path).rows
    assert set(shown["files"]) == {"main.mpy", "web/page.html"}
    assert (shown["version"], shown["md5"], shown["bytes"]) == ("1.1", md5, len(data))


def test_the_same_sources_give_the_same_bytes(app):
    assert pack.pack(app, "1").data == pack.pack(app, "1").data


def test_each_line_of_a_bundle_is_json_and_each_file_as_packed(app):
    bundle = pack.pack(app, "1.1", pack.Trial(5, 30))
    line, _, rest = bundle.data.partition(b"\n")
    head = {"dynreg": 1, "version": "1.1", "mpy": 6, "boots": 5, "seconds": 30, "files": 2}
    assert json.loads(line) == head
    line, _, rest = rest.partition(b"\n")
    name, size, digest = json.loads(line)
    assert (name, size) == ("main.mpy", len(bundle.files["main.mpy"]))
    assert hashlib.sha256(rest[:size]).hexdigest() == digest
    assert pack.read(bundle.data).files == bundle.files


def test_every_byte_of_a_bundle_counts(app):
    data = pack.pack(app, "1.1").data
    for at in range(len(data)):
        for bad in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]):
            try:
                other = pack.read(bad)
            except pack.BundleError:
                continue
            # What is left is a head with another number, version or name in it.
            assert list(other.files.values()) == list(pack.read(data).files.values())


def test_with_dynreg_its_package_comes_along(app):
    files = pack.pack(app, "1.1", library=True).files
    assert {"dynreg/__init__.mpy", "dynreg/services/ota/unpack.mpy"} <= set(files)
    assert "dynreg/services/rrpc.mpy" not in files
    assert not [name for name in files if name.startswith("hub/")]


def test_the_folder_of_a_first_deploy(app, tmp_path):
    result = dynreg("bundle", app, "--version", "1.0", "--factory", tmp_path / "first")
    assert result.code == 0, result.err
    first = tmp_path / "first"
    names = {path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file()}
    services = {name for name in names if name.startswith("lib/dynreg/services/")}
    assert names - services == {*("main.py", "ota.state", "app_a/main.mpy", "app_a/web/page.html")}
    assert {"lib/dynreg/services/config.mpy", "lib/dynreg/services/ota/__init__.mpy"} <= services
    (app / "web" / "page.html").unlink()
    assert dynreg("bundle", app, "--version", "1.1", "--factory", first).code == 0
    assert not (first / "app_a" / "web").exists()
    (first / "notes.txt").write_text("mine")
    refused(dynreg("bundle", app, "--version", "1", "--factory", first), "notes.txt", "not ours")


def test_a_folder_that_is_none(tmp_path):
    refused(dynreg("bundle", tmp_path / "none", "--version", "1"), "is no folder")
    refused(dynreg("bundle", tmp_path, "--version", "1"), "has no main.py")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("device_info.json", "{}", "is a board's own"),
        ("certs/ca.der", "x", "is a board's own"),
        ("main.py", "if __name__ == '__main__':\n    print(1)\n", "line 1"),
        ("main.py", "def broken(:\n", "line 1"),
        ("a name.txt", "x", "rename it"),
        ("n" * 97, "x", "rename it"),
        ("main.mpy", "x", "and its source"),
    ],
)
def test_what_no_bundle_may_hold(app, name, text, words):
    path = app / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    refused(dynreg("bundle", app, "--version", "1"), str(app), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--version", ""), "name the program's folder"),
        (("--version", "x" * 33), "1 to 32 characters"),
        (("--version", "1 2"), "1 to 32 characters"),
        (("--version", "1", "--boots", "0"), "1 to 100 starts"),
        (("--version", "1", "--seconds", "-1"), "0 to 86400 s"),
        ((), "name the program's folder and its --version"),
    ],
)
def test_what_cannot_be(app, arguments, words):
    refused(dynreg("bundle", app, *arguments), words)


def test_files_that_are_no_bundle(tmp_path):
    for data in (b"", b"\n", b"{}\n", b"\xff" * 40, b"[" * 9999, b'{"dynreg":2}\n'):
        (tmp_path / "x").write_bytes(data)
        refused(dynreg("bundle", "--show", tmp_path / "x"), str(tmp_path / "x"))
    refused(dynreg("bundle", "--show", tmp_path / "none"), "cannot be read")


@pytest.fixture
def hub_options():
    return {"product_id": "ABCDEFGHIJ"}


def ask(hub, name, *arguments):
    return dynreg("hub", name, "--hub", hub.workbench, *arguments)


def test_devices_are_offered_a_bundle(hub, app, tmp_path):
    bundle = tmp_path / "1.bundle"
    dynreg("bundle", app, "--version", "1.1", "--out", bundle)
    hub.add_device("lamp-1")
    hub.add_device("lamp-2")
    result = ask(hub, "update", bundle, "--all")
    assert re.fullmatch(
        r"version 1.1, \d+ bytes: 2 devices, 0 of them hear of it now\n", result.out
    )
    result = ask(hub, "update", bundle, "lamp-1", "--wait", "0")
    assert result.code == 1
    assert "lamp-1  -         1.1      offered" in result.out
    assert ask(hub, "updates").out.splitlines()[2].split()[:4] == ["lamp-2", "-", "1.1", "offered"]
    assert ask(hub, "update", "--cancel", "lamp-2").out == "lamp-2: cancelled\n"
    assert ask(hub, "update", "--cancel", "lamp-2").code == 1
    refused(ask(hub, "update", bundle), "name the devices that take it, or --all")
    refused(ask(hub, "update", bundle, "lamp-3"), "there is no device 'lamp-3'")
    refused(ask(hub, "update", bundle, "lamp-1", "--version", "2"), "is version 1.1, not 2")


def test_a_firmware_image_needs_its_version(hub, tmp_path):
    hub.add_device("lamp-1")
    image = tmp_path / "firmware.bin"
    image.write_bytes(b"\xe9" + bytes(100))
    refused(ask(hub, "update", image, "lamp-1"), "name its --version")
    assert ask(hub, "update", image, "lamp-1", "--version", "2.0").code == 0
    refused(ask(hub, "update", __file__, "lamp-1"), "make one with 'dynreg bundle'")


def test_a_configuration_is_pushed_shown_and_removed(hub):
    hub.add_device("lamp-1")
    assert ask(hub, "config", "lamp-1").out == "none\n"
    result = ask(hub, "config", "lamp-1", '{"period":60}')
    assert (result.code, result.out) == (1, "the device gets it when it asks\n")
    assert ask(hub, "config", "lamp-1").out == '{"period": 60}\n'
    assert ask(hub, "config", "lamp-1", "--remove").out == "removed\n"
    assert ask(hub, "config", "lamp-1", "--remove").code == 1
    refused(ask(hub, "config", "lamp-1", "{"), "is not JSON")
    refused(ask(hub, "config", "lamp-1", "[1]"), "must be a JSON object")
