"""The second copy of the credential: one record in NVS, or in a file on ports without NVS.

What the record says is credentials.py's business; this room only keeps bytes, and tells damage
(a CRC that does not fit) from absence.
"""

import os
from binascii import crc32

from . import board
from .errors import StorageError

_NAMESPACE, _KEY = "dynreg", "credential"
_SIZES = (512, 8192)  # bytes to make room for: a secret; a certificate with its key
_NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND


def where(path):
    """The record's place, in words."""
    try:
        if _nvs() is None:
            return _file(path)
    except OSError:
        pass  # it has one, that does not open
    return "NVS %s/%s" % (_NAMESPACE, _KEY)


def read(path):
    """The record's bytes, None where there is none; StorageError "storage.damaged" by the CRC.

    path: of device_info.json, beside which the file lies on ports without NVS.
    """
    try:
        data = _file_read(path) if _nvs() is None else _nvs_read()
    except OSError as error:
        raise StorageError("storage.damaged", "NVS cannot be read: %r" % error) from None
    if data is None:
        return None
    if len(data) < 4 or crc32(data[4:]) != int.from_bytes(data[:4], "big"):
        raise StorageError("storage.damaged", "the second copy of the credential is damaged")
    return data[4:]


def write(path, data):
    """Puts data in the record's place in one step, and reads it back. StorageError."""
    data = crc32(data).to_bytes(4, "big") + data
    try:
        nvs = _nvs()
        if nvs is None:
            replace(_file(path), data)
        else:
            nvs.set_blob(_KEY, data)
            nvs.commit()
            if _nvs_read() != data:
                raise StorageError("storage", "NVS does not read back as written")
    except OSError as error:
        raise StorageError("storage", "the second copy cannot be written: %r" % error) from None


def erase(path):
    """Takes the record away; nothing where there is none."""
    try:
        nvs = _nvs()
        if nvs is None:
            for file in (_file(path) + ".tmp", _file(path)):  # what recover() would bring back
                if _there(file):
                    os.remove(file)
        else:
            nvs.erase_key(_KEY)
            nvs.commit()
    except OSError as error:
        if error.args[0] != _NOT_FOUND:
            raise StorageError("storage", "%s stays: %r" % (where(path), error)) from None


def replace(path, data):
    """The file at path holds data (bytes) or what it held before, whenever the power goes.

    A temporary file, read back, renamed, read back. On FAT the rename takes the old file away
    first; recover() knows. StorageError, and OSError as the file system gives it.
    """
    temporary = path + ".tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    board.sync()
    _check(temporary, data)
    os.rename(temporary, path)
    board.sync()
    _check(path, data)


def trial(path, size):
    """Writes and takes away size bytes where a record would lie; OSError where it cannot."""
    nvs = _nvs()
    if nvs is None:
        trial_file(_file(path) + ".try", size)
    else:
        nvs.set_blob("trial", bytes(size))
        nvs.commit()
        nvs.erase_key("trial")
        nvs.commit()


def trial_file(path, size):
    """Writes a file of size bytes and takes it away; OSError where it cannot be."""
    try:
        with open(path, "wb") as file:
            file.write(bytes(size))
    finally:
        if _there(path):
            os.remove(path)


def put(path, data):
    """replace(), unless the file holds data already; makes the folder."""
    try:
        if contents(path) == data:
            return
    except OSError:
        folder = path.rsplit("/", 1)[0]
        if folder and not _there(folder):
            os.mkdir(folder)
    replace(path, data)


def recover(path):
    """Puts back a file that a power cut on FAT left under its temporary name only."""
    if not _there(path) and _there(path + ".tmp"):
        os.rename(path + ".tmp", path)


def contents(path):
    """The file's bytes; OSError where there is none."""
    with open(path, "rb") as file:
        return file.read()


def _check(path, data):
    if contents(path) != data:
        raise StorageError("storage", "%s does not read back as written" % path)


def _there(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _file(path):
    return path[: path.rfind("/") + 1] + "dynreg.rec"


def _file_read(path):
    recover(_file(path))
    try:
        return contents(_file(path))
    except OSError:
        return None


def _nvs():
    return board.nvs(_NAMESPACE)


def _nvs_read():
    for size in _SIZES:
        buffer = bytearray(size)
        try:
            return bytes(buffer[: _nvs().get_blob(_KEY, buffer)])
        except OSError as error:
            if error.args[0] == _NOT_FOUND:
                return None
    raise StorageError("storage", "NVS gives the record not back")
