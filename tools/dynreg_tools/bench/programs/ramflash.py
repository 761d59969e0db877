"""A board's flash in RAM: littlefs as an ESP32's _boot.py mounts it, and how often it reads.

Device side. Firmware's own modules that the unix port lacks stand in where they cost no reads:
esp32 is built in there, and what is frozen (umqtt.simple) is found after a search of the root.
"""

import json
import sys
from binascii import a2b_base64, b2a_base64

import vfs

IMAGE, NVS = "flash.img", "nvs.json"  # beside device_info.json of this device
_BLOCK, _BLOCKS = 4096, 512
host = vfs.VfsPosix()


class RamFlash:
    """The extended block protocol over a bytearray. reads: calls of readblocks."""

    def __init__(self):
        self.data = memoryview(bytearray(b"\xff" * (_BLOCK * _BLOCKS)))
        self.reads = 0

    def readblocks(self, n, buffer, offset=0):
        self.reads += 1
        start = n * _BLOCK + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, n, buffer, offset=0):
        start = n * _BLOCK + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        if operation == 4:
            return _BLOCKS
        if operation == 5:
            return _BLOCK
        if operation == 6:
            self.writeblocks(argument, b"\xff" * _BLOCK)
        return 0


def mount(flash):
    """The root, with the mount's own reads counted; an ESP32's search path."""
    firmware = vfs.VfsPosix(host.getcwd().rsplit("/", 1)[0] + "/firmware")
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(flash), "/")
    vfs.mount(firmware, "/.firmware")
    sys.path[:] = ["", "/.firmware", ".frozen", "/lib"]


class Esp32:
    """The module esp32, with an NVS that is kept in a file of the host."""

    class NVS:
        values = {}

        def __init__(self, namespace):
            self._space = namespace + "/"

        def set_blob(self, key, value):
            self.values[self._space + key] = bytes(value)

        def get_blob(self, key, buffer):
            value = self._present(key)
            buffer[: len(value)] = value
            return len(value)

        def erase_key(self, key):
            self._present(key)
            del self.values[self._space + key]

        def commit(self):
            with host.open(NVS, "w") as file:
                json.dump({key: b2a_base64(self.values[key]) for key in self.values}, file)

        def _present(self, key):
            if self._space + key not in self.values:
                raise OSError(-0x1102, "ESP_ERR_NVS_NOT_FOUND")
            return self.values[self._space + key]

    def __init__(self):
        try:
            with host.open(NVS, "r") as file:
                kept = json.load(file)
        except OSError:
            kept = {}
        for key in kept:
            self.NVS.values[key] = a2b_base64(kept[key])
