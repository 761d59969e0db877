"""services/setup: what device_info.json says of it, and how a network gets into it."""

import json

import canaries
import fakes
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError, StorageError
from dynreg.services import setup
from dynreg.services.setup import keep, settings

KEY = "canary0setup1key2"
MAC = b"\x24\x6f\x28\x5d\x5a\x9e"


def _machine():
    fakes.module("umachine", fakes.Namespace(unique_id=lambda: MAC))


def test_the_password_is_the_keys_and_the_macs():
    # Computed by openssl: HMAC-SHA256 of "dynreg setup " and the MAC.
    assert settings.derived(KEY, MAC) == "dt8h-yy8k-a4q7"
    assert settings.derived(KEY, MAC[:5] + b"\x9f") != settings.derived(KEY, MAC)
    assert settings.derived(KEY + "x", MAC) != settings.derived(KEY, MAC)


def test_what_the_label_says():
    _machine()
    path = fakes.device_info(setup={"key": KEY}, deviceName="esp32-{mac}")
    assert setup.access_point(path) == ("esp32-246f285d5a9e", settings.derived(KEY, MAC))
    path = fakes.device_info(setup={"password": "abcdefgh", "name": "Müller", "key": KEY})
    assert setup.access_point(path) == ("Müller", "abcdefgh")
    path = fakes.device_info(setup={"password": "abcdefgh"}, deviceName="d" * 48)
    assert setup.access_point(path) == ("d" * 32, "abcdefgh")


def test_what_is_set():
    path = fakes.device_info(setup={"password": "abcdefgh", "after": 120, "open": 60}, wifi=None)
    found = settings.load(path)
    assert (found["after"], found["open"], found["wifi"]) == (120, 60, None)
    found = settings.load(fakes.device_info(setup={"password": "abcdefgh"}))
    assert (found["after"], found["open"]) == (0, 600)
    assert found["wifi"] == {"ssid": "bench", "password": canaries.WIFI_PASSWORD}


def test_each_mistake_is_named():
    for own, says in (
        (None, "setup.key has no 16 characters"),
        ({}, "dynreg init --setup"),
        ({"key": "short"}, "setup.key"),
        ({"key": "YOUR_SETUP_KEY_0123456789"}, "setup.key"),
        ({"key": 5}, "setup.key"),
        ([], "setup is no object"),
        ({"password": "1234567"}, "setup.password is no text of 8 to 63 bytes"),
        ({"password": "x" * 64}, "setup.password"),
        ({"password": "x" * 8 + "\n"}, "setup.password"),
        ({"password": 12345678}, "setup.password"),
        ({"password": "12345678", "name": "n" * 33}, "setup.name"),
        ({"password": "12345678", "name": 5}, "setup.name"),
        ({"password": "12345678", "after": -1}, "setup.after"),
        ({"password": "12345678", "after": "120"}, "setup.after"),
        ({"password": "12345678", "open": 59}, "setup.open is no number of seconds: write 60 to"),
        ({"password": "12345678", "open": 86401}, "setup.open"),
    ):
        path = fakes.device_info(setup=own)
        error = fakes.raises(ConfigError, settings.load, path, code="config", says=(path, says))
        assert "12345678" not in str(error)


def _kept(text, changes, section="wifi"):
    path = fakes.write(fakes.folder() + "/device_info.json", text)
    keep.keep(path, section, changes)
    assert not fakes.exists(path + ".tmp")
    return fakes.read(path).decode(), path


def test_a_network_comes_into_a_file_that_had_none():
    values = fakes.values(wifi=None)
    text = json.dumps(values)
    given = {"ssid": "home", "password": canaries.WIFI_PASSWORD}
    for gap in ("", "\n    "):
        found, path = _kept("{" + gap + text[1:], given)
        assert found == "{" + gap + '"wifi": ' + json.dumps(given) + "," + gap + text[1:]
        assert DeviceInfo(path).wifi == given


def test_a_network_takes_anothers_place():
    text = json.dumps(fakes.values())
    given = {"ssid": "home", "password": ""}
    found, path = _kept(text, given)
    assert json.loads(found) == dict(fakes.values(), wifi=given)
    assert DeviceInfo(path).wifi == given


def test_names_and_passwords_of_every_kind():
    for name in (
        'a"b',
        "a\\",
        'a","x":"b',
        "}",
        '"wifi": {',
        "家里",
        "\U0001f600",
        "\t",
        "a'b</p>",
    ):
        for text in (json.dumps(fakes.values()), json.dumps(fakes.values(wifi=None))):
            given = {"ssid": name, "password": name * 8}
            found, path = _kept(text, given)
            assert DeviceInfo(path).wifi == given, name
            _, path = _kept(found, {"ssid": "x", "password": "12345678"})
            assert DeviceInfo(path).wifi == {"ssid": "x", "password": "12345678"}, name


def test_nothing_is_stored_that_the_board_would_not_read():
    path = fakes.device_info(wifi=None)
    before = fakes.read(path)
    for given in (
        {"ssid": "YOUR_HOME", "password": "12345678"},  # as placeholders begin
        {"ssid": "home", "password": "YOUR_password"},
        {"ssid": "a\ud83d", "password": ""},
        {"ssid": "home", "password": "1234567\udc00"},
        {"ssid": "\ud83d\ude00", "password": ""},  # not as it was joined
    ):
        fakes.raises(StorageError, keep.keep, path, "wifi", given, code="storage", says=path)
        assert fakes.read(path) == before, given
    given = {"ssid": "my YOUR_", "password": ""}
    keep.keep(path, "wifi", given)
    assert DeviceInfo(path).wifi == given


def test_a_strange_layout_is_written_anew():
    values = fakes.values(wifi={"a": {"b": 1}, "ssid": "x"})
    found, _ = _kept(json.dumps(values), {"ssid": "home"})
    values["wifi"]["ssid"] = "home"
    assert json.loads(found) == values
    text = '{"x": {"wifi": {}}, ' + json.dumps(fakes.values(wifi=None))[1:]
    found, _ = _kept(text, {"ssid": "home"})
    assert json.loads(found) == dict(fakes.values(wifi={"ssid": "home"}), x={"wifi": {}})


def test_a_file_that_cannot_be_written_stays():
    path = fakes.device_info()
    before = fakes.read(path)
    fakes.replace(keep.store, "replace", _full)
    fakes.raises(StorageError, keep.keep, path, "wifi", {"ssid": "x"}, says=path)
    assert fakes.read(path) == before


def _full(path, data):
    raise OSError(28)


def test_a_file_that_is_none_is_not_mended():
    for text in ("", "[]", '{"a": 1'):
        path = fakes.write(fakes.folder() + "/device_info.json", text)
        fakes.raises(StorageError, keep.keep, path, "wifi", {"ssid": "x"}, says=path)
        assert fakes.read(path).decode() == text


def test_the_batchs_key_leaves_the_board():
    text = json.dumps(fakes.values(setup={"key": KEY, "after": 120}))
    found, _ = _kept(text, {"password": "abcd-efgh-jkmn", "key": ""}, "setup")
    assert KEY not in found
    assert json.loads(found)["setup"] == {"key": "", "after": 120, "password": "abcd-efgh-jkmn"}
