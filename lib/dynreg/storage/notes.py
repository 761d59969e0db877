"""What is worth remembering from boot to boot, beside the credential: three small numbers.

The last day that the cloud told, below which no first clock may lie; and whether the broker has
turned down TLS-PSK or an early request, so that the next boot does not pay for asking again.
Losing them costs time, never a device: no care is taken here that a power cut could not undo.
"""

from micropython import const

from .. import log, port

_KEY = const("notes")


def read(path):
    """A dict with day, psk and early, zeros where nothing is kept; path of device_info.json.

    Besides: changed (not written away yet), refusals (logins in a row that were refused).
    """
    data = bytearray(4)
    try:
        nvs = port.nvs()
        if nvs:
            nvs.get_blob(_KEY, data)
        else:
            with open(_file(path), "rb") as file:
                file.readinto(data)
    except OSError:
        pass  # nothing kept yet
    return {
        "day": data[0] | data[1] << 8,
        "psk": data[2],
        "early": data[3] & 7,  # 8 is of one boot (mqtt/timesync.py)
        "changed": False,
        "refusals": 0,
    }


def write(path, history):
    """Keeps what read() gave and somebody changed. A flash that does not take it is logged."""
    day = history["day"]
    data = bytes((day & 255, day >> 8, history["psk"], history["early"]))
    history["changed"] = False
    try:
        nvs = port.nvs()
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
