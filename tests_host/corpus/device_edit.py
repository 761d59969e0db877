"""device_info.json written to: only what is meant changes, and what cannot be written stays."""

import json

import canaries
import fakes
from dynreg.device import DeviceInfo
from dynreg.errors import ConfigError
from dynreg.storage import credentials, store
from dynreg.storage.credentials import fingerprint

SECRET = canaries.DEVICE_SECRET
CHECK = fingerprint(fakes.PRODUCT + "/" + fakes.NAME + "\n" + SECRET)


def _text(**changes):
    """A device_info.json, without the secret's section."""
    return json.dumps(fakes.values(key_deviceinfo=None, **changes))


def _store(data, secret=SECRET):
    """What store() makes of a file with data: its bytes."""
    fakes.nvs()
    path = fakes.write(fakes.folder() + "/device_info.json", data)
    store.store(DeviceInfo(path), secret)
    assert not fakes.exists(path + ".tmp")
    return fakes.read(path)


def test_only_the_secret_and_its_check_change():
    common = _text()[1:-1]
    for old in ("YOUR_DEVICE_SECRET", "", "b2xkIGtleQ=="):
        for layout in (
            '{COMMON, "key_deviceinfo": {"deviceSecret": "%s", "check": "%s"}}',
            '{\n  "a": 1,\n\t"key_deviceinfo" : {\n    "deviceSecret":"%s" ,'
            ' "check"\t:\t"%s" } ,\n  COMMON, "z": [1, 2]\n}\n\n',
            '{"key_deviceinfo":{"deviceSecret" : "%s","check":"%s","deviceSecretOld":"x"},COMMON}',
            '{\r\n  "key_deviceinfo": {\r\n    "deviceSecret": "%s",\r\n    "check": "%s"\r\n  },'
            "\r\n  COMMON\r\n}\r\n",
            '{"name": "Gerät ☃ 設備", "key_deviceinfo": {"é": "è", "deviceSecret": "%s", '
            '"check": "%s"}, COMMON}',
        ):
            whole = layout.replace("COMMON", common)
            expected = (whole % (SECRET, CHECK)).encode()
            assert _store(whole % (old, "00000000")) == expected, (layout, old)
            fakes.restore()


def test_a_check_that_was_not_there_is_the_only_line_that_is_new():
    common = _text()[1:-1]
    for layout, line in (
        ('{"key_deviceinfo": {"deviceSecret": "%s"}, COMMON}', '"check": "%s",'),
        (
            '{\n  "key_deviceinfo": {\n    "deviceSecret": "%s"\n  },\n  COMMON\n}\n',
            '"check": "%s",\n    ',
        ),
        (
            '{\r\n  "key_deviceinfo": {\r\n    "deviceSecret": "%s"\r\n  },\r\n  COMMON\r\n}\r\n',
            '"check": "%s",\r\n    ',
        ),
    ):
        whole = layout.replace("COMMON", common)
        expected = (whole % SECRET).replace('"deviceSecret"', line % CHECK + '"deviceSecret"')
        assert _store(whole % "YOUR_DEVICE_SECRET") == expected.encode(), layout
        fakes.restore()


def test_the_right_deviceSecret_of_several_changes():
    text = (
        '{"deviceSecret": "YOUR_DEVICE_SECRET", "before": {"deviceSecret": "YOUR_DEVICE_SECRET"},'
        ' "key_deviceinfo": {"note": "YOUR_DEVICE_SECRET", "deviceSecret": "%s", "check": "%s"},'
        ' "after": {"deviceSecret": "YOUR_DEVICE_SECRET", "check": "no"}, COMMON}'
    ).replace("COMMON", _text()[1:-1])
    assert _store(text % ("YOUR_DEVICE_SECRET", "")) == (text % (SECRET, CHECK)).encode()


def test_what_cannot_be_spliced_keeps_all_values():
    for layout in (
        '{"a": {"b": [1, "é"]}, COMMON}',
        '{"a": 1, "key_deviceinfo": {}, COMMON}',
        '{"a": 1, "key_deviceinfo": {"deviceSecret": null, "other": "x"}, COMMON}',
        '{"a": 1, "key_deviceinfo": {"deviceSecret": "\\u0041\\u0042\\u0043\\u0044"}, COMMON}',
        '{"key_deviceinfo": {"x": {"deviceSecret": "old"}, "deviceSecret": "b2xk"}, COMMON}',
        '{"key_deviceinfo": {"x": "\\"deviceSecret\\": \\"o", "deviceSecret": "b2xk"}, COMMON}',
        '{"key_deviceinfo": {"x": "}", "deviceSecret": "b2xk", "y": "{"}, COMMON}',
        '{"a": "\\"key_deviceinfo\\" \\"deviceSecret\\":", "key_deviceinfo": {"deviceSecret":""},'
        "COMMON}",
        '{"a": "key_deviceinfo", "key_deviceinfo": {"deviceSecret"  :  "d2lkZQ=="}, COMMON}',
        '{"a": "key_deviceinfo", "key_deviceinfo": {"check": 5, "deviceSecret": ""}, COMMON}',
    ):
        data = layout.replace("COMMON", _text()[1:-1])
        expected = json.loads(data)
        expected.setdefault("key_deviceinfo", {}).update(deviceSecret=SECRET, check=CHECK)
        assert json.loads(_store(data)) == expected, data
        fakes.restore()


def test_what_cannot_be_written_anew_stays_and_the_board_goes_on():
    # A section of the same name before the real one: splicing misses, all must be written anew.
    for odd in ("1e999", "-1e999", "[" * 3000 + "]" * 3000):
        fakes.nvs()
        lines = fakes.log_lines()
        data = (
            '{"old": {"key_deviceinfo": {}}, "key_deviceinfo": {"deviceSecret": "SECRET"}, '
            '"odd": ODD, COMMON}'
        )
        for name, value in (("SECRET", SECRET), ("ODD", odd), ("COMMON", _text()[1:-1])):
            data = data.replace(name, value)
        path = fakes.write(fakes.folder() + "/device_info.json", data)
        for _ in range(3):  # boots
            try:
                info = DeviceInfo(path)
            except ConfigError:  # nested deeper than this interpreter reads
                assert odd[0] == "["
                break
            store.heal(info, *credentials.load(info))
            assert info.credential == SECRET
        healed = [text for _, text in lines if "cannot be healed" in text]
        assert fakes.read(path).decode() == data or not healed, "half done"
        fakes.restore()
