"""Which board this is, and its state; nothing is changed. Device side."""

import json
import os
import sys
import time
from binascii import hexlify


def filled(value):
    return bool(value) and not str(value).startswith("YOUR_")


def in_nvs():
    """(product id, device name) of the credential's second copy, else None."""
    try:
        from esp32 import NVS

        buffer = bytearray(8192)
        size = NVS("dynreg").get_blob("credential", buffer)
        return json.loads(buffer[4:size])[0].split("/", 1)
    except (ImportError, OSError, ValueError, IndexError, AttributeError):
        return None


def identify():
    import machine

    mac = hexlify(machine.unique_id()).decode()
    info = {}
    try:
        with open("/device_info.json") as file:
            info = json.loads(file.read())
    except ValueError:
        pass
    except OSError as error:
        if error.errno in (5, 19, 84):  # EIO, no file system mounted, a damaged block
            raise
    registered = in_nvs()
    name = info.get("deviceName")
    product = info.get("productId")
    stored = filled((info.get("key_deviceinfo") or {}).get("deviceSecret")) or filled(
        (info.get("cert_deviceinfo") or {}).get("devCertFile")
    )
    if registered:
        product, name = registered
    system = os.uname()
    epoch = 946684800 if time.gmtime(0)[0] == 2000 else 0
    return {
        "mac": ":".join(mac[at : at + 2] for at in range(0, len(mac), 2)),
        "machine": system.machine,
        "micropython": system.release,
        "mpy": getattr(sys.implementation, "_mpy", 0) & 0xFF,
        "unix": time.time() + epoch,
        "product": product if filled(product) else None,
        "device": name.replace("{mac}", mac) if filled(name) and filled(product) else None,
        "registered": bool(registered) or stored,
        "frozen": frozen(),
    }


def frozen():
    """The version of a dynreg that is part of the firmware and comes before /lib; else None."""
    path = sys.path[:]
    loaded = sys.modules.pop("dynreg", None)  # an interrupted program's, from anywhere
    sys.path[:] = [".frozen"]
    try:
        from dynreg import __version__

        return __version__
    except ImportError:
        return None
    finally:
        sys.path[:] = path
        if loaded:
            sys.modules["dynreg"] = loaded


def set_clock(unix_ms):
    """Sets the RTC to Unix milliseconds (UTC)."""
    from machine import RTC

    epoch = 946684800 if time.gmtime(0)[0] == 2000 else 0
    t = time.gmtime(unix_ms // 1000 - epoch)
    RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], unix_ms % 1000 * 1000))


def library():
    """The version of dynreg that `import dynreg` finds, None without one."""
    try:
        from dynreg import __version__

        return __version__
    except (ImportError, AttributeError):
        return None
    except Exception as error:  # whatever a broken library does, the other boards go on
        return "broken: %r" % error
