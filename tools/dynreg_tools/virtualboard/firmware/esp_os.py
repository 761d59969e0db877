"""os as on an ESP32: its functions only, nothing that leads to the host. Device side."""

from collections import namedtuple

import _board

_native = _board.native["os"]
chdir = _native.chdir
getcwd = _native.getcwd
ilistdir = _native.ilistdir
listdir = _native.listdir
mkdir = _native.mkdir
mount = _native.mount
umount = _native.umount
remove = _native.remove
unlink = _native.remove
rename = _native.rename
rmdir = _native.rmdir
statvfs = _native.statvfs
urandom = _native.urandom
VfsFat = _native.VfsFat
VfsLfs2 = _native.VfsLfs2
sep = "/"

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def stat(path):
    entry = _native.stat(path)
    return entry[:7] + tuple(max(0, when - _board.EPOCH_S) for when in entry[7:])


def sync():
    pass  # every write to the image is there when it returns


def uname():
    release = ".".join(str(part) for part in _board.config["version"][:3])
    return _Uname("esp32", "esp32", release, _board.config["banner"], _board.config["machine"])
