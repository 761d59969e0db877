"""Files: hashed, written under a temporary name, moved into their places. Device side.

The packages of /lib change as a whole. The module search path is "", ".frozen", "/lib", so a copy
of the old package is parked at the root, where it is found first, while the one in /lib changes;
renaming the parked one away puts the new one in force. Whenever the power goes, the old package
is found or the new one, never a mixture.

All renames stay within one folder. littlefs needs two steps from one folder into another, and
after a power cut between them it hides the next entry of the first folder, until it writes again.
"""

import gc
import hashlib
import os
from binascii import a2b_base64, b2a_base64

DAMAGED = (5, 19, 84)  # EIO, no file system mounted, littlefs's own number for a damaged block
NEW, OLD, PARKED = ".dynreg-new", ".dynreg-old", ".dynreg-parked"


def mode_of(path):
    try:
        return os.stat(path)[0]
    except OSError as error:
        if error.errno in DAMAGED:
            raise
        return 0


def digest(path):
    hash = hashlib.sha256()
    buffer = bytearray(1024)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        while True:
            size = file.readinto(buffer)
            if not size:
                return b2a_base64(hash.digest())[:-1].decode()
            hash.update(view[:size])


def walk(path):
    mode = mode_of(path)
    if mode & 0x4000:
        for entry in os.ilistdir(path):
            yield from walk(path + "/" + entry[0])
    elif mode:
        yield path


def hashes(paths):
    """{path: SHA-256 in base64} of these files and of all files below these folders."""
    found = {}
    for path in paths:
        for file in walk(path):
            if len(found) % 8 == 0:  # else what is kept lies all over the heap
                gc.collect()
            found[file] = digest(file)
    return found


def folders(path):
    at = path.find("/", 1)
    while at > 0:
        if not mode_of(path[:at]):
            os.mkdir(path[:at])
        at = path.find("/", at + 1)


_pieces = bytearray()
_mode = "wb"


def put(path, data, first, last):
    """One piece of a file, base64.

    Written at once where it is not large: littlefs notes each writing in the folder, which every
    later search reads. The file is closed then: one left open by a host that went away would be
    written out whenever the garbage collector finds it, over what another deploy has put there.
    """
    global _pieces, _mode
    if first:
        folders(path)
        _pieces, _mode = bytearray(), "wb"
    _pieces += a2b_base64(data)
    if last or len(_pieces) >= 4096:
        with open(path, _mode) as file:
            file.write(_pieces)
        _pieces, _mode = bytearray(), "ab"


def remove(path):
    """Takes a file or a whole folder away, if it is there."""
    mode = mode_of(path)
    if mode & 0x4000:
        for entry in list(os.ilistdir(path)):
            remove(path + "/" + entry[0])
        os.rmdir(path)
    elif mode:
        os.remove(path)


def copy(source, target):
    folders(target)
    buffer = bytearray(1024)
    view = memoryview(buffer)
    with open(source, "rb") as old, open(target, "wb") as new:
        while True:
            size = old.readinto(buffer)
            if not size:
                return
            new.write(view[:size])


def parked(name):
    """Whether the package in force is one at the root: parked, or a dynreg copied by hand."""
    return bool(mode_of("/%s/%s" % (name, PARKED)) or (name == "dynreg" and mode_of("/dynreg")))


def recover(names):
    """Takes away what a cut left of parking."""
    for name in names:
        remove("/" + name + NEW)
        remove("/" + name + OLD)


def parked_of(names):
    """Those of the packages that are parked."""
    return [name for name in names if parked(name)]


def hiding(names):
    """What a person put at the root that is found before these packages of /lib."""
    places = ["/" + name + suffix for name in names for suffix in ("", ".py", ".mpy")]
    return [path for path in places if mode_of(path) and not parked(path[1:])]


def park(names):
    """The old packages to the root, where they stay in force."""
    for name in names:
        files = list(walk("/lib/" + name))  # none: folders that an interrupted deploy has made
        if files and not mode_of("/" + name):
            for path in files:
                copy(path, "/" + name + NEW + path[len("/lib/" + name) :])
            with open("/%s%s/%s" % (name, NEW, PARKED), "w"):
                pass
            os.rename("/" + name + NEW, "/" + name)


def switch(names):
    """From the parked packages to the new ones in /lib."""
    for name in names:
        if parked(name):
            os.rename("/" + name, "/" + name + OLD)
    for name in names:
        remove("/" + name + OLD)


def move(paths):
    """New files into their places, each in one step (on FAT the old one goes first)."""
    for path in paths:
        os.rename(path + NEW, path)


def clean(paths):
    for path in paths:
        remove(path)


def idle(paths):
    """Those of the programs in which nothing is done: comments and blanks, an import of gc."""
    found = []
    for path in paths:
        if mode_of(path) and os.stat(path)[6] <= 4096:
            with open(path, "rb") as file:
                lines = [line.strip() for line in file.read().split(b"\n")]
            if all(
                line[:1] in (b"", b"#") or line in (b"import gc", b"gc.collect()")
                for line in lines
            ):
                found.append(path)
    return found


def keep(paths):
    """Copies programs beside themselves: {path: its copy}. A copy that is there already stays."""
    kept = {}
    for path in paths:
        number = 0
        while path not in kept:
            name = "%s.old%s" % (path, number or "")
            if not mode_of(name):
                copy(path, name + NEW)
                os.rename(name + NEW, name)
            if digest(name) == digest(path):
                kept[path] = name
            number += 1
    return kept
