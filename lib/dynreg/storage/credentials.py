"""The device's credential, read from its two copies in flash; store.py writes them.

Copy one is device_info.json, where people expect it: key_deviceinfo.deviceSecret, or the files
named in cert_deviceinfo, with a check beside it. Copy two is a record in NVS, or in a file on
ports without NVS, with a CRC. Each is bound to product id and device name. Source of the rules:
docs/credentials.md.
"""

import uhashlib as hashlib
import ujson as json
import uos as os
from micropython import const
from ubinascii import crc32, hexlify

from .. import port
from ..errors import ConfigError, StorageError

_GOOD = const("good")
_BAD = const("damaged")
_NONE = const("missing")
_UNCHECKED = const("unchecked")
_NOT_FOUND = const(-4354)  # ESP_ERR_NVS_NOT_FOUND
# What placeholders hold and no secret does: in any of them, and where there is no digit.
_MARKS = const(b"*<${\xe2")  # the last: first byte of …, • and their like
_WORDS = const("your secret change replace example undefined placeholder insert")


def blank(value, secret=False):
    """Whether nothing has been filled in yet: the vendor's samples write YOUR_… there.

    secret: what masks a secret or stands for one elsewhere counts too: ****, <key>, null.
    """
    if not value or not isinstance(value, str):
        return not value
    if value.startswith("YOUR_") or not secret:
        return value.startswith("YOUR_")
    text = value.lower()
    found = set(text.encode())
    if len(found) < 4 or found & set(_MARKS):
        return True
    return not found & set(b"0123456789") and any(word in text for word in _WORDS.split())


def load(info):
    """Sets info.credential from the good copy; None before registration.

    Gives what ails each copy, for store.heal(): (None or a state, None or a state).
    ConfigError: the second copy is another product's or name's, or there is neither a credential
    nor a product secret to get one with. StorageError: both are damaged, or they are two different
    ones. Then both are left as they are.
    """
    state, value = in_file(info)
    second, kept = in_record(info)
    if _GOOD in (second, state) or state == _UNCHECKED:
        if second == _GOOD and state in (_GOOD, _UNCHECKED) and kept != value:
            raise StorageError(
                "storage.two",
                "%s holds credential %s, the second copy holds %s: put YOUR_… into the file to "
                "keep the second, or forget() both"
                % (info.path, fingerprint(value), fingerprint(kept)),
            )
        # A certificate that was not checked yet is the device's own, still to be registered.
        own = state == _UNCHECKED and second == _NONE and info.mode == "CERT"
        if not own or not info.product_secret:
            info.credential = kept if second == _GOOD else value
            return tuple(None if found == _GOOD else found for found in (state, second))
    elif _BAD in (second, state):
        raise StorageError(
            "storage.damaged",
            "the credential in %s is %s and the second copy %s: restore the file from a backup, "
            "or forget() both and delete the device in the console" % (info.path, state, second),
        )
    need_product_secret(info)
    return None, None


def need_product_secret(info):
    """ConfigError unless there is one to register with."""
    if not info.product_secret:
        raise ConfigError(
            "config",
            "%s: productSecret is not filled in: copy it from the console" % info.path,
        )


def both_good(info):
    """Whether each copy by itself would be enough."""
    return in_file(info)[0] == in_record(info)[0] == _GOOD


def in_file(info):
    """(state, credential) of the copy in device_info.json."""
    try:
        section = json.loads(contents(info.path)).get(info.section) or {}
        if info.mode == "KEY":
            value = section.get("deviceSecret")
        elif blank(section.get("devCertFile")):
            value = None
        else:  # (certificate, key), PEM
            value = []
            for path in (info.cert_file, info.key_file):
                recover(path)
                value.append(contents(path).decode())
            value = tuple(value)
    except (OSError, ValueError):
        return _BAD, None
    found = section.get("check")
    # The check first: no secret that the cloud gave may pass for a placeholder.
    if value and found and found == check(info, value):
        return _GOOD, value
    if blank(value, True):
        return _NONE, None
    return (_BAD, None) if found else (_UNCHECKED, value)


def in_record(info):
    """(state, credential) of the second copy, which knows info.registered_at as well.

    ConfigError where it is somebody else's.
    """
    try:
        data = record(info.path)
        if data is None:
            return _NONE, None
        owner, when, *parts = json.loads(data)
        if len(parts) not in (1, 2) or not isinstance(when, int):
            raise ValueError
        if not all(part and isinstance(part, str) for part in [owner] + parts):
            raise ValueError
    except (StorageError, ValueError, TypeError):
        return _BAD, None
    if owner != info.owner:
        raise ConfigError(
            "config.other",
            "%s says %s, but this board is registered as %s: bring its own file back, or "
            "Device.forget() first" % (info.path, info.owner, owner),
        )
    if (len(parts) == 1) != (info.mode == "KEY"):
        raise ConfigError(
            "config.other",
            "%s: auth_mode is %s, but this board is registered in the other mode: change it "
            "back, or Device.forget() first" % (info.path, info.mode),
        )
    info.registered_at = when
    return _GOOD, parts[0] if len(parts) == 1 else tuple(parts)


def place(path):
    """Where the record is, in words; path: of device_info.json, beside which its file lies."""
    try:
        if port.nvs() is None or (from_nvs() is None and size(record_file(path)) >= 0):
            return record_file(path)
    except (OSError, StorageError):
        pass  # it has one, that does not open
    return "NVS dynreg/credential"


def record(path):
    """The record's bytes, None where there is none; StorageError "storage.damaged" by the CRC."""
    data = None
    try:
        if port.nvs():
            data = from_nvs()
    except OSError as error:
        raise StorageError("storage.damaged", "NVS cannot be read: %r" % error) from None
    if data is None:  # no NVS, or it had no room
        path = record_file(path)
        try:
            recover(path)
            data = contents(path)
        except OSError:
            return None
    if not _crc_fits(data):
        raise StorageError("storage.damaged", "the second copy of the credential is damaged")
    return data[4:]


def from_nvs():
    """The record's bytes in NVS, CRC and all; None where there are none. OSError, StorageError."""
    for length in (512, 8192):  # a secret; a certificate with its key
        data = bytearray(length)
        try:
            return bytes(data[: port.nvs().get_blob("credential", data)])
        except OSError as error:
            if error.args[0] == _NOT_FOUND:
                return None
    raise StorageError("storage", "NVS gives the record not back")


def record_file(path):
    """Where the record lies on ports without NVS, and where NVS has no room for it."""
    return path[: path.rfind("/") + 1] + "dynreg.rec"


def contents(path):
    """The file's bytes; OSError where there is none."""
    with open(path, "rb") as file:
        return file.read()


def recover(path):
    """Puts back a file that a power cut on FAT left under its temporary name only, whole.

    One that was cut off while it was written never was in force, and stays where it is.
    """
    if size(path) < 0 <= size(path + ".tmp"):
        data = contents(path + ".tmp")
        end = data.find(b"-----END ") + 9  # a PEM's last line; a record holds PEMs too
        if _crc_fits(data) or (data[:5] == b"-----" and data.find(b"-----", end) > end > 8):
            os.rename(path + ".tmp", path)


def _crc_fits(data):
    return len(data) >= 4 and crc32(data[4:]) == int.from_bytes(data[:4], "big")


def size(path):
    """The file's bytes, counted; -1 where there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return -1


def fingerprint(value, text=""):
    """Eight hex digits to tell credentials apart by; nothing can be learnt from them."""
    text += value if isinstance(value, str) else "".join(value)
    return hexlify(hashlib.sha256(text.encode()).digest()[:4]).decode()


def check(info, value):
    """What stands beside the credential in device_info.json: it is whole, and info's."""
    return fingerprint(value, info.owner + "\n")
