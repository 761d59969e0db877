"""How the board finds its firmware's modules. Device side.

Built-ins (socket, tls, ...) live in a table and not in sys.modules, as C modules do. What a real
image freezes (umqtt.simple, ntptime) is imported from a read-only file system that is mounted
only for the length of the import: the user's '/' stays the user's, sys.path stays an ESP32's.
"""

import builtins
import sys

import vfs

_PLACE = "/.firmware"
_import = builtins.__import__
_modules = sys.modules
_path = sys.path
_U_NAMES = (
    " array asyncio binascii collections cryptolib errno hashlib heapq io json machine os random"
    " re requests select socket ssl struct sys time "
)


class Sys:
    """sys, but for the platform's name and what would lead to the host."""

    def __init__(self, native):
        object.__setattr__(self, "_native", native)
        object.__setattr__(self, "platform", "esp32")

    def __getattr__(self, name):
        if name in ("executable", "atexit"):
            raise AttributeError(name)
        return getattr(self._native, name)

    def __setattr__(self, name, value):
        setattr(self._native, name, value)


class Ntp:
    """The time server of this board, for ntptime."""

    def __init__(self, server):
        self.SERVER = server


class Firmware:
    """The frozen files as a file system: path on the board -> path on the host, read only."""

    def __init__(self, host, files):
        self._host = host
        self._files = files

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def chdir(self, path):
        raise OSError(1)

    def open(self, path, mode):
        if "w" in mode or "a" in mode or path not in self._files:
            raise OSError(30 if path in self._files else 2)
        return self._host.open(self._files[path], mode)

    def stat(self, path):
        if path in self._files:
            return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        for name in self._files:
            if name.startswith(path + "/"):
                return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)


def install(built_in, host, files):
    """Makes every later import of the board look here first."""
    firmware = Firmware(host, files)
    frozen = {name[1:].split("/")[0].split(".")[0] for name in files}

    def find(name, *rest):
        top = name.split(".")[0]
        if rest and len(rest) > 3 and rest[3]:
            return _import(name, *rest)
        old_name = name[0] == "u" and " %s " % name[1:] in _U_NAMES
        if old_name and name not in frozen and name not in _modules:
            name = name[1:]
        if name in built_in and name not in _modules:
            return built_in[name]
        if top in frozen and (name not in _modules or top not in _modules):
            return from_firmware(name, rest)
        return _import(name, *rest)

    def from_firmware(name, rest):
        nested = _PLACE in _path
        if not nested:
            vfs.mount(firmware, _PLACE)
            _path.insert(1 if _path and _path[0] == "" else 0, _PLACE)
        try:
            return _import(name, *rest)
        finally:
            if not nested:
                _path.remove(_PLACE)
                vfs.umount(_PLACE)

    builtins.__import__ = find
