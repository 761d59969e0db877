"""The secret in device_info.json: nothing else changes, and no failure loses it."""

import json
import os

import canaries
import fakes
from dynreg import credentials, port
from dynreg.device_info import DeviceInfo
from dynreg.errors import StorageError

SECRET = canaries.DEVICE_SECRET


def _store(data, secret=SECRET):
    """What store() makes of a file with data: its bytes."""
    path = fakes.write(fakes.folder() + "/device_info.json", data)
    credentials.store(path, secret)
    assert not fakes.exists(path + ".tmp")
    return fakes.read(path)


def test_only_the_secret_changes():
    for old in ("YOUR_DEVICE_SECRET", "", "b2xkIGtleQ=="):
        for layout in (
            '{"key_deviceinfo": {"deviceSecret": "%s"}}',
            '{\n  "a": 1,\n\t"key_deviceinfo" : {\n    "deviceSecret":"%s" } , "z": [1, 2]\n}\n\n',
            '{"key_deviceinfo":{"deviceSecret" : "%s","deviceSecretOld":"x"},"x":"y"}',
            '{\r\n  "key_deviceinfo": {\r\n    "deviceSecret": "%s"\r\n  }\r\n}\r\n',
            '{"name": "Gerät ☃ 設備", "key_deviceinfo": {"é": "è", "deviceSecret": "%s"}}',
        ):
            assert _store(layout % old) == (layout % SECRET).encode(), (layout, old)


def test_the_right_deviceSecret_of_several_changes():
    text = (
        '{"deviceSecret": "YOUR_DEVICE_SECRET", "before": {"deviceSecret": "YOUR_DEVICE_SECRET"},'
        ' "key_deviceinfo": {"note": "YOUR_DEVICE_SECRET", "deviceSecret": "%s"},'
        ' "after": {"deviceSecret": "YOUR_DEVICE_SECRET"}}'
    )
    assert _store(text % "YOUR_DEVICE_SECRET") == (text % SECRET).encode()


def test_what_cannot_be_spliced_keeps_all_values():
    for data in (
        '{"a": {"b": [1, "é"]}}',
        '{"a": 1, "key_deviceinfo": {}}',
        '{"a": 1, "key_deviceinfo": {"deviceSecret": null, "other": "x"}}',
        '{"a": 1, "key_deviceinfo": {"deviceSecret": 5}}',
        '{"a": 1, "key_deviceinfo": {"deviceSecret": "\\u0041\\u0042"}}',
        '{"a": 1, "key_deviceinfo": {"x": {"deviceSecret": "old"}, "deviceSecret": "old"}}',
        '{"a": 1, "key_deviceinfo": {"x": "\\"deviceSecret\\": \\"old", "deviceSecret": "old"}}',
        '{"a": "\\"key_deviceinfo\\" \\"deviceSecret\\":", "key_deviceinfo": {"deviceSecret":""}}',
        '{"a": "key_deviceinfo", "key_deviceinfo": {"deviceSecret"  :  "wide"}}',
    ):
        expected = json.loads(data)
        expected.setdefault("key_deviceinfo", {})["deviceSecret"] = SECRET
        assert json.loads(_store(data)) == expected, data


def test_an_empty_section_written_as_null():
    # Checked before the cloud gives a secret, so it must be taken after.
    path = fakes.device_info(key_deviceinfo=None)
    values = fakes.values(key_deviceinfo=None)
    values["key_deviceinfo"] = None
    fakes.write(path, json.dumps(values))
    assert DeviceInfo(path).device_secret is None
    credentials.store(path, SECRET)
    assert DeviceInfo(path).device_secret == SECRET


def test_a_stored_secret_is_read_again():
    path = fakes.device_info()
    credentials.store(path, SECRET)
    assert DeviceInfo(path).device_secret == SECRET


# --- the order of things ------------------------------------------------------------------------


class _Flash:
    """In the place of credentials' open and os: records the calls, lies or fails on demand."""

    def __init__(self):
        self.calls = []
        self.lies = {}  # path: what reading it gives
        self.faults = {}  # call: the OSError it raises
        fakes.replace(credentials, "open", self._open)
        fakes.replace(credentials, "os", self)
        fakes.replace(port, "sync", lambda: self._call("sync"))

    def _call(self, *call):
        self.calls.append(" ".join(part.rsplit("/", 1)[-1] for part in call))
        if self.calls[-1] in self.faults:
            raise self.faults[self.calls[-1]]

    def _open(self, path, mode="r"):
        self._call("write" if "w" in mode else "read", path)
        if "w" not in mode and path in self.lies:
            path = fakes.write(path + ".lie", self.lies[path])
        return open(path, mode)

    def rename(self, old, new):
        self._call("rename", old, new)
        os.rename(old, new)

    def stat(self, path):
        return os.stat(path)


def test_temporary_file_read_back_rename_read_back():
    flash = _Flash()
    credentials.store(fakes.device_info(), SECRET)
    assert flash.calls[-6:] == [
        "write device_info.json.tmp",
        "sync",
        "read device_info.json.tmp",
        "rename device_info.json.tmp device_info.json",
        "sync",
        "read device_info.json",
    ], flash.calls
    assert not [call for call in flash.calls[:-6] if not call.startswith("read ")], flash.calls


def _lie(suffix, lie):
    """store() where path + suffix does not read back: (the file then, the file before)."""
    flash = _Flash()
    path = fakes.device_info()
    before = fakes.read(path)
    flash.lies[path + suffix] = lie
    fakes.raises(StorageError, credentials.store, path, SECRET, code="storage", says=path)
    return fakes.read(path), before


def test_a_flash_that_lies_about_the_temporary_file_keeps_the_old_one():
    for lie in ("", "{}", json.dumps(fakes.values())):
        after, before = _lie(".tmp", lie)
        assert after == before, lie
        fakes.restore()


def test_a_flash_that_gives_back_rubbish_keeps_the_old_file():
    after, before = _lie(".tmp", b"\xff\xfe\xff")
    assert after == before


def test_a_flash_that_lies_about_the_file_itself():
    flash = _Flash()
    path = fakes.device_info()
    text = json.dumps(fakes.values())

    def rename(old, new):
        os.rename(old, new)
        flash.lies[path] = text  # from now on the old text comes back

    flash.rename = rename
    fakes.raises(StorageError, credentials.store, path, SECRET, code="storage", says=path)
    assert json.loads(fakes.read(path))["key_deviceinfo"]["deviceSecret"] == SECRET


def test_a_flash_that_is_full_or_worn_keeps_the_old_file():
    for call in (
        "write device_info.json.tmp",
        "sync",
        "read device_info.json.tmp",
        "rename device_info.json.tmp device_info.json",
    ):
        flash = _Flash()
        flash.faults[call] = OSError(28)  # ENOSPC, which MicroPython's errno lacks
        path = fakes.device_info()
        before = fakes.read(path)
        fakes.raises(StorageError, credentials.store, path, SECRET, code="storage", says=path)
        assert fakes.read(path) == before, call
        fakes.restore()


# --- after a power cut --------------------------------------------------------------------------


def test_recover_puts_back_a_lone_temporary_file():
    path = fakes.folder() + "/device_info.json"
    data = json.dumps(fakes.values(key_deviceinfo={"deviceSecret": SECRET}))
    fakes.write(path + ".tmp", data)
    credentials.recover(path)
    assert fakes.read(path) == data.encode()
    assert not fakes.exists(path + ".tmp")


def test_recover_leaves_a_file_alone_that_is_there():
    path = fakes.device_info()
    before = fakes.read(path)
    fakes.write(path + ".tmp", '{"other": 1}')
    credentials.recover(path)
    assert fakes.read(path) == before


def test_recover_takes_no_temporary_file_that_is_cut_off():
    for data in (b"", b'{"a": ', b"\xff\xfe"):
        path = fakes.folder() + "/device_info.json"
        fakes.write(path + ".tmp", data)
        credentials.recover(path)
        assert not fakes.exists(path), data


def test_recover_with_nothing_there():
    path = fakes.folder() + "/device_info.json"
    credentials.recover(path)
    assert not fakes.exists(path)
