"""What device_info.json says of setup."""

from micropython import const

from ... import port
from ...connect.hmac import hmac
from ...device import DeviceInfo
from ...errors import ConfigError
from ...storage import device_file
from ...storage.credentials import blank

_LETTERS = const(b"abcdefghijkmnpqrstuvwxyz23456789")  # no l, o, 0, 1: it is read off a label
_PURPOSE = const(b"dynreg setup ")
_MOST_S = const(86400)


def load(path):
    """A dict: name, password, after and open (seconds), wifi (dict or None), key. ConfigError."""
    info = DeviceInfo(path)
    own = device_file._section(info, device_file.read(path), "setup")
    name = own.get("name") or info.device_name[:32]
    if not isinstance(name, str) or len(name.encode()) > 32:
        raise _wrong(info, "name", "is no text of 32 bytes at most", "shorten it")
    password, key = own.get("password"), own.get("key")
    if password:
        if (
            not isinstance(password, str)
            or not 8 <= len(password.encode()) <= 63
            or min(password) < " "
        ):
            raise _wrong(info, "password", "is no text of 8 to 63 bytes", "correct it")
    elif blank(key, True) or not isinstance(key, str) or len(key) < 16:
        raise _wrong(info, "key", "has no 16 characters", "have 'dynreg init --setup' make one")
    else:
        password = derived(key, port.unique_id())
    found = {"name": name, "password": password, "wifi": info.wifi, "key": key}
    for entry, least, usual in (("after", 0, 0), ("open", 60, 600)):
        seconds = own.get(entry, usual)
        if not isinstance(seconds, int) or not least <= seconds <= _MOST_S:
            text = "write %d to %d" % (least, _MOST_S)
            raise _wrong(info, entry, "is no number of seconds", text)
        found[entry] = seconds
    return found


def _wrong(info, key, fault, remedy):
    return ConfigError("config", "%s: setup.%s %s: %s" % (info.path, key, fault, remedy))


def derived(key, mac):
    """The password of the board with this MAC (bytes): 60 bits, as abcd-efgh-jkmn."""
    letters = [chr(_LETTERS[byte & 31]) for byte in hmac(key.encode(), _PURPOSE + mac)[:12]]
    return "-".join(["".join(letters[at : at + 4]) for at in (0, 4, 8)])
