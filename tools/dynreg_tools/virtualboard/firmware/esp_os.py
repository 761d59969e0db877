"""os as on an ESP32: its functions only, nothing that leads to the host. Device side."""

from collections import namedtuple as _namedtuple

import _board
import esp_vfs as _vfs

_native = _board.native["os"]
chdir = _vfs._chdir
getcwd = _native.getcwd
ilistdir = _native.ilistdir
listdir = _native.listdir
mkdir = _native.mkdir
mount = _vfs.mount
umount = _vfs.umount
remove = _native.remove
unlink = _native.remove
rename = _native.rename
rmdir = _native.rmdir
statvfs = _native.statvfs
urandom = _native.urandom
VfsFat = _vfs.VfsFat
VfsLfs2 = _vfs.VfsLfs2
sep = "/"

_Uname = _namedtuple("", ("sysname", "nodename", "release", "version", "machine"))


def stat(path):
    entry = _native.stat(path)
    return entry if _vfs._of_a_program(path) else _board.stat_of(entry)


def sync():
    pass  # every write to the image is there when it returns


def uname():
    release = ".".join(str(part) for part in _board.config["version"][:3])
    return _Uname("esp32", "esp32", release, _board.config["banner"], _board.config["machine"])
