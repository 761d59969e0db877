"""Where this board's credential lies, and its copy in NVS, read and written. Device side.

Runs with or without lib/dynreg on the board. Where a credential lies is described in
docs/credentials.md.
"""

import json
import os
import sys
from binascii import crc32

NOT_FOUND = -4354  # ESP_ERR_NVS_NOT_FOUND
PIECE = 256  # bytes printed in one go, as a record may be larger than a board's free heap bears


def text(path):
    for name in (path, path + ".tmp"):
        try:
            with open(name) as file:
                return file.read()
        except OSError:
            pass
    return None


def blank(value):
    return not isinstance(value, str) or not value or value[:5] == "YOUR_"


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def make_folder(path):
    if not exists(path):
        os.mkdir(path)


def record():
    """The bytes of NVS dynreg/credential; b"" without one. ImportError on a port without NVS."""
    import esp32

    nvs = esp32.NVS("dynreg")
    for size in (512, 8192):
        data = bytearray(size)
        try:
            return data[: nvs.get_blob("credential", data)]
        except OSError as error:
            if error.args[0] == NOT_FOUND:
                return b""
            if size == 8192:
                raise


def print_record():
    """The record in hex, in lines; nothing where there is none, or it cannot be read."""
    try:
        data = record()
    except OSError:
        return
    for at in range(0, len(data), PIECE):
        print(data[at : at + PIECE].hex())


_pieces = bytearray()


def put_record(piece, first, last):
    """One piece of a record, in hex; the last one has it written."""
    global _pieces
    if first:
        _pieces = bytearray()
    _pieces.extend(bytes.fromhex(piece))
    if last:
        import esp32

        nvs = esp32.NVS("dynreg")
        nvs.set_blob("credential", _pieces)
        nvs.commit()


def held():
    """What this board is and where it holds a credential: names and places, no secret."""
    try:
        import machine

        mac = machine.unique_id().hex()
    except (ImportError, AttributeError):
        mac = ""
    try:
        import esp

        flash = esp.flash_size()
    except (ImportError, AttributeError):
        flash = 0
    places, files = [], []
    owner = info_places(places, files, mac)
    kept = b""
    try:
        kept = record()
        if kept:
            whole = crc32(kept[4:]) == int.from_bytes(kept[:4], "big")
            places.append("NVS" if whole else "NVS (damaged)")
    except ImportError:
        pass
    except OSError:
        places.append("NVS (not readable)")
    if text("/dynreg.rec") is not None:
        places.append("/dynreg.rec")
    try:
        owner = json.loads(bytes(kept)[4:])[0] or owner
    except (ValueError, IndexError, TypeError):
        pass
    return {
        "places": places,
        "files": files,
        "owner": owner,
        "mac": mac,
        "flash": flash,
        "machine": os.uname().machine,
        "version": sys.version,
    }


def info_places(places, files, mac):
    """Adds what device_info.json holds or names; "product/device" as it says, or None."""
    try:
        info = json.loads(text("/device_info.json") or "{}")
    except ValueError:
        places.append("/device_info.json (not readable)")
        return None
    if not blank((info.get("key_deviceinfo") or {}).get("deviceSecret")):
        places.append("/device_info.json")
    certificate = info.get("cert_deviceinfo") or {}
    for name in ("devCertFile", "devPrivateKeyFile"):
        path = certificate.get(name)
        if not blank(path):
            path = path if "/" in path else "/certs/" + path
            if text(path) is not None:
                places.append(path)
                files.append(path)
    if blank(info.get("deviceName")):
        return None
    return "%s/%s" % (info.get("productId"), info["deviceName"].replace("{mac}", mac))
