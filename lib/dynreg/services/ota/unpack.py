"""A bundle that has come whole: its MD5, then its files beside the program that runs."""

import sys

import uhashlib as hashlib
import ujson as json
import uos as os
from micropython import const
from ubinascii import hexlify

from ... import port
from ...errors import StorageError

_PART = const("/ota.part")
_CHUNK = const(1024)
_LINE = const(512)
_MOST_PATH = const(96)
# What a bundle that is none may raise within _unpacked().
BAD = (ValueError, KeyError, TypeError, MemoryError, AttributeError, OverflowError)


def apply(job, slot):
    """What the state is to say of a bundle whose files read back from /app_{slot} as packed.

    StorageError "ota.hash", "ota.bundle", "ota.full": the program that runs is as it was.
    """
    folder = "/app_" + slot
    try:
        check(_PART, hashlib.md5(), job["md5sum"].lower(), "ota.hash")
        _clear(folder)
        os.mkdir(folder)
        with open(_PART, "rb") as file:
            return _unpacked(file, job["version"], folder + "/")
    except OSError as error:
        raise StorageError("ota.full", "no room: %r" % error) from None
    except BAD as error:
        raise StorageError("ota.bundle", "not unpacked: %r" % error) from None


def _unpacked(file, version, folder):
    head = json.loads(file.readline(_LINE))
    if head["version"] != version:
        raise ValueError(head["version"])
    if head["dynreg"] != 1 or head["mpy"] != sys.implementation._mpy & 255:
        raise ValueError("made for another release")
    size = 1
    for _ in range(head["files"]):
        path, size, digest = json.loads(file.readline(_LINE))
        if ".." in path or len(path) > _MOST_PATH:
            raise ValueError(path)
        at = path.find("/")
        while at > 0:
            try:
                os.mkdir(folder + path[:at])
            except OSError:
                pass  # it is there, or the file will not be
            at = path.find("/", at + 1)
        with open(folder + path, "wb") as new:
            while size > 0:
                data = file.read(min(size, _CHUNK))
                size -= len(data) or size + 1
                new.write(data)
                port.idle()
        check(folder + path, hashlib.sha256(), digest, "ota.bundle")
    if size or file.read(1):
        raise ValueError("its end")
    return {"boots": int(head["boots"]), "seconds": int(head["seconds"])}


def _clear(path):
    """Takes a folder away with all in it, or a file, if it is there."""
    try:
        mode = os.stat(path)[0]
    except OSError:
        return
    if mode & 0x4000:
        for name in os.listdir(path):
            _clear(path + "/" + name)
        os.rmdir(path)
    else:
        os.remove(path)


def check(path, hash, digest, code):
    """StorageError unless the file's hash has these hex digits."""
    with open(path, "rb") as file:
        data = True
        while data:
            data = file.read(_CHUNK)
            hash.update(data)
            port.idle()
    if hexlify(hash.digest()).decode() != digest:
        raise StorageError(code, "%s: another hash" % path)
