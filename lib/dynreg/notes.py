"""What is worth remembering from boot to boot, beside the credential: three small numbers.

The last day that the cloud told, below which no first clock may lie; and whether the broker has
turned down TLS-PSK or an early request, so that the next boot does not pay for asking again.
Losing them costs time, never a device: no care is taken here that a power cut could not undo.
"""

import struct

from . import board, log

_FORMAT = "<HBB"  # days since 1970, PSK turned down, early request turned down
_KEY = "notes"


def read(path):
    """A dict with day, psk and early, zeros where nothing is kept; path of device_info.json.

    Besides: changed (not written away yet), refusals (logins in a row that were refused).
    """
    data = bytearray(4)
    try:
        nvs = board.nvs("dynreg")
        if nvs:
            nvs.get_blob(_KEY, data)
        else:
            with open(_file(path), "rb") as file:
                file.readinto(data)
    except OSError:
        pass  # nothing kept yet
    day, psk, early = struct.unpack(_FORMAT, data)
    return {"day": day, "psk": psk, "early": early, "changed": False, "refusals": 0}


def write(path, history):
    """Keeps what read() gave and somebody changed. A flash that does not take it is logged."""
    data = struct.pack(_FORMAT, history["day"], history["psk"], history["early"])
    history["changed"] = False
    try:
        nvs = board.nvs("dynreg")
        if nvs:
            nvs.set_blob(_KEY, data)
            nvs.commit()
        else:
            with open(_file(path), "wb") as file:
                file.write(data)
    except OSError as error:
        log.warning("notes: not kept: %r" % error)


def _file(path):
    return path[: path.rfind("/") + 1] + "dynreg.notes"
