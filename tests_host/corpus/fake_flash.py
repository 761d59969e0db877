"""A flash and an NVS that record what is done to them, and lie and fail on demand."""

import os

from dynreg.storage import credentials, store
from standins import Namespace, module, replace, write


class Flash:
    """In the place of open and os in the modules that write: records, lies and fails on demand.

    calls: what was done, in words, without folders; NVS's calls too, where nvs() got this Flash.
    """

    def __init__(self):
        self.calls = []
        self.lies = {}  # path: what reading it gives
        self.faults = {}  # call: the OSError it raises
        self.limit = None  # the most bytes that one file takes
        self.read_only = False
        for writes in (credentials, store):
            replace(writes, "open", self._open)
            replace(writes, "os", self)

    def call(self, *call):
        self.calls.append(" ".join(part.rsplit("/", 1)[-1] for part in call))
        if self.calls[-1] in self.faults:
            raise self.faults[self.calls[-1]]
        if self.read_only and call[0] in ("write", "rename", "remove", "mkdir"):
            raise OSError(30)  # EROFS

    def changes(self):
        """The calls but for those that only look."""
        return [call for call in self.calls if call.split(" ")[0] not in ("read", "stat")]

    def _open(self, path, mode="r"):
        self.call("write" if "w" in mode else "read", path)
        if "w" not in mode and path in self.lies:
            path = write(path + ".lie", self.lies[path])
        if self.limit is None or "w" not in mode:
            return open(path, mode)
        return _Small(open(path, mode), self.limit)

    def rename(self, old, new):
        self.call("rename", old, new)
        os.rename(old, new)

    def remove(self, path):
        self.call("remove", path)
        os.remove(path)

    def mkdir(self, path):
        self.call("mkdir", path)
        os.mkdir(path)

    def sync(self):
        self.call("sync")

    def stat(self, path):
        return os.stat(path)


def replaced(name):
    """The calls, as a Flash records them, with which store.py replaces a file."""
    temporary = name + ".tmp"
    return [
        "write " + temporary,
        "sync",
        "read " + temporary,
        f"rename {temporary} {name}",
        "sync",
        "read " + name,
    ]


class _Small:
    """A file on a flash that is nearly full."""

    def __init__(self, file, limit):
        self._file, self._left = file, limit

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, data):
        self._left -= len(data)
        if self._left < 0:
            raise OSError(28)  # ENOSPC
        return self._file.write(data)


class Nvs:
    """esp32.NVS and the partition behind it; what is not committed, no other handle sees.

    blobs: by "namespace/key". full: set_blob has no room. lie: what get_blob gives instead.
    """

    def __init__(self, flash=None):
        self.blobs = {}
        self.full = False
        self.dead = None  # the OSError of every call
        self.lie = None
        self._flash = flash

    def __call__(self, namespace):
        return _NvsHandle(self, namespace + "/")

    def call(self, what, key=""):
        if self.dead:
            raise self.dead
        if self._flash:
            self._flash.call("NVS " + what, *([key] if key else []))


class _NvsHandle:
    def __init__(self, nvs, prefix):
        nvs.call("open")
        self._nvs, self._prefix = nvs, prefix
        self._pending = {}

    def set_blob(self, key, data):
        assert len(key) <= 15, key
        self._nvs.call("set", key)
        if self._nvs.full:
            raise OSError(-4357, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
        self._pending[self._prefix + key] = bytes(data)

    def get_blob(self, key, buffer):
        self._nvs.call("get", key)
        key = self._prefix + key
        data = self._pending.get(key, self._nvs.blobs.get(key))
        if data is None:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        if self._nvs.lie is not None:
            data = self._nvs.lie
        if len(data) > len(buffer):
            raise OSError(-4364, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        self._nvs.call("erase", key)
        key = self._prefix + key
        if self._pending.pop(key, None) is None and key not in self._nvs.blobs:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        self._pending[key] = None

    def commit(self):
        self._nvs.call("commit")
        for key in self._pending:
            if self._pending[key] is None:
                self._nvs.blobs.pop(key, None)
            else:
                self._nvs.blobs[key] = self._pending[key]
        self._pending = {}


def nvs(flash=None):
    """A chip with NVS until the end of the test: its Nvs."""
    made = Nvs(flash)
    module("esp32", Namespace(NVS=made))
    return made
