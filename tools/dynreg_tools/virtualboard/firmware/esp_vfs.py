"""vfs as on an ESP32: littlefs2 and FAT, and no way to the host's files. Device side.

The interpreter writes the host's time into files; what is read back is the board's.
"""

import _board

_native = _board.native["vfs"]
_others = {}  # mount point -> a file system that is a program's own object
_here = [False]  # the current directory is on one of those


class _Native:
    """A file system of the interpreter, its times as the board's clock has them."""

    def __init__(self, *args, **options):
        self._fs = self._make(*args, **options)

    def __getattr__(self, name):
        return getattr(self._fs, name)

    def __repr__(self):
        return "<%s>" % type(self).__name__

    def stat(self, path):
        return _board.stat_of(self._fs.stat(path))


class VfsFat(_Native):
    _make = _native.VfsFat
    mkfs = staticmethod(_native.VfsFat.mkfs)


class VfsLfs2(_Native):
    _make = _native.VfsLfs2
    mkfs = staticmethod(_native.VfsLfs2.mkfs)


def mount(*args, **options):
    if not args:
        return _native.mount()
    fs = args[0]
    if isinstance(fs, _Native):
        fs = fs._fs
    _native.mount(fs, *args[1:], **options)
    if (
        fs is args[0]
        and hasattr(fs, "mount")
        and not isinstance(fs, (VfsFat._make, VfsLfs2._make))
    ):
        _others[args[1]] = fs


def umount(what):
    _native.umount(what._fs if isinstance(what, _Native) else what)
    _here[0] = False  # no current directory stays behind where it was on that one
    for at, fs in list(_others.items()):
        if what is fs or what == at:
            del _others[at]


def _chdir(path):
    there = _of_a_program(path)
    _board.native["os"].chdir(path)
    _here[0] = there


def _of_a_program(path):
    """The file system that path leads to is a program's own: what it says stands."""
    if path[:1] != "/":
        if _here[0] or not _others:
            return _here[0]
        path = _board.native["os"].getcwd().rstrip("/") + "/" + path
    return any(path == at or at == "/" or path.startswith(at + "/") for at in _others)
