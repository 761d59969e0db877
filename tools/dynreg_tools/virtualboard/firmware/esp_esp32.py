"""esp32.NVS: integers and blobs in nvs.bin, beside the flash image; esp32.Partition. Device side.

A set is in RAM until commit(), which replaces the file in one step and counts as one flash
operation: a power cut there leaves the old contents, whatever the torn state.
"""

from binascii import hexlify as _hexlify
from binascii import unhexlify as _unhexlify

import _board

_NOT_FOUND = (-0x1102, "ESP_ERR_NVS_NOT_FOUND")
_NO_SPACE = (-0x1105, "ESP_ERR_NVS_NOT_ENOUGH_SPACE")
_TOO_LONG = (-0x1109, "ESP_ERR_NVS_KEY_TOO_LONG")
_LENGTH = (-0x110C, "ESP_ERR_NVS_INVALID_LENGTH")
_MAX_NAME = 15
_MAX_BYTES = 6144  # of a stock image's 24 KiB: an emulated ESP32 took 4,500 and not 8,000

_ENOENT = 2
_APP = 0

_changes = {}  # (namespace, name) -> "i12", "b0aff" or None for erased; not yet committed


def _lines():
    try:
        with _board.host.open(_board.config["nvs"], "r") as file:
            for line in file:
                yield line.rstrip("\n")
    except OSError as error:
        if error.errno != 2:
            raise


class NVS:
    def __init__(self, namespace):
        if len(namespace) > _MAX_NAME:
            raise OSError(*_TOO_LONG)
        self._namespace = namespace

    def _key(self, name):
        if len(name) > _MAX_NAME:
            raise OSError(*_TOO_LONG)
        return (self._namespace, name)

    def _get(self, name, kind):
        key = self._key(name)
        value = None
        if key in _changes:
            value = _changes[key]
        else:
            prefix = "\t".join(key) + "\t"
            for line in _lines():
                if line.startswith(prefix):
                    value = line[len(prefix) :]
        if value is None or value[0] != kind:
            raise OSError(*_NOT_FOUND)
        return value[1:]

    def set_i32(self, name, value):
        if not -0x80000000 <= value <= 0x7FFFFFFF:
            raise OverflowError("overflow converting long int to machine word")
        _changes[self._key(name)] = "i%d" % value

    def get_i32(self, name):
        return int(self._get(name, "i"))

    def set_blob(self, name, value):
        if len(value) > _MAX_BYTES:
            raise OSError(*_NO_SPACE)
        _changes[self._key(name)] = "b" + _hexlify(value).decode()

    def get_blob(self, name, buffer):
        value = _unhexlify(self._get(name, "b"))
        if len(value) > len(buffer):
            raise OSError(*_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, name):
        key = self._key(name)
        for kind in "ib":
            try:
                self._get(name, kind)
                _changes[key] = None
                return
            except OSError:
                pass
        raise OSError(*_NOT_FOUND)

    def commit(self):
        if not _changes:
            return
        path = _board.config["nvs"]
        lines = [line for line in _lines() if tuple(line.split("\t")[:2]) not in _changes]
        for key, value in _changes.items():
            if value is not None:
                lines.append("\t".join(key) + "\t" + value)
        if sum(len(line) // 2 for line in lines) > _MAX_BYTES:
            raise OSError(*_NO_SPACE)
        _board.flash_operation(lambda state: None)
        with _board.host.open(path + ".new", "w") as file:
            for line in lines:
                file.write(line + "\n")
        _board.host.rename(path + ".new", path)
        _changes.clear()


class Partition:
    """Of a board without OTA slots: the one that runs, "factory". Others have _partition.py's."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = _APP
    TYPE_DATA = 1

    def __init__(self, id, block_size=4096):
        if id not in (self.BOOT, self.RUNNING, "factory"):
            raise OSError(_ENOENT)
        self._block = block_size

    @classmethod
    def find(cls, type=_APP, subtype=0xFF, label=None, block_size=4096):
        good = type == _APP and subtype in (0xFF, 0) and label in (None, "factory")
        return [cls(cls.RUNNING, block_size)] if good else []

    def info(self):
        return (_APP, 0, 0x10000, 0x1F0000, "factory", False)

    def ioctl(self, cmd, arg):
        if cmd == 6:
            self.writeblocks(arg, b"\xff" * self._block)
        return {4: self.info()[3] // self._block, 5: self._block}.get(cmd, 0)

    def readblocks(self, block_num, buf, offset=0):
        raise OSError(_ENOENT)

    def writeblocks(self, block_num, buf, offset=0):
        raise OSError(-0x104, "ESP_ERR_INVALID_SIZE")

    def set_boot(self):
        raise OSError(-0x102, "ESP_ERR_INVALID_ARG")

    def get_next_update(self):
        raise OSError(_ENOENT)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        raise OSError(-261)
