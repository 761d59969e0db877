"""device_info.json: the batch's new one takes over this board's credential. Device side.

The credential stays on the board: the host sends the batch's text, and the merge is done here.
"""

import json
import os
from binascii import hexlify

PATH = "/device_info.json"
SECTIONS = {"key_deviceinfo": "deviceSecret", "cert_deviceinfo": "devCertFile"}

pending = None


def blank(value):
    return not value or str(value).startswith("YOUR_")


def load():
    try:
        os.stat(PATH)
    except OSError as error:
        if error.errno in (5, 19, 84):  # the file system is damaged: nothing is known of the file
            raise
        try:
            os.rename(PATH + ".tmp", PATH)  # what a power cut on FAT leaves
        except OSError:
            return {}
    with open(PATH) as file:
        try:
            values = json.loads(file.read())
            return values if isinstance(values, dict) else None
        except ValueError:
            return None


def owner(values, mac):
    name = values.get("deviceName", "").replace("{mac}", mac)
    return "%s/%s (%s)" % (values.get("productId"), name, values.get("auth_mode", "KEY"))


def merge(text, own):
    """[what write_info() will do, whom this board is registered as if that hinders].

    text: the new file, with "@key@" for each key of own; own: what the batch says there, which
    gives way to this board's credential. What: "same", "new", "changed", "kept" (changed, the
    credential kept), "damaged" (the old file is no JSON and is put aside), "other" (registered
    as somebody else), "two" (both have a secret, not the same).
    """
    import machine

    global pending
    pending = None
    mac = hexlify(machine.unique_id()).decode()
    old = load()
    new = json.loads(text)
    what = "damaged" if old is None else "changed" if old else "new"
    old = old or {}
    for name, key in SECTIONS.items():
        mine = old.get(name) or {}
        theirs = (own.get(name) or {}).get(key)
        if blank(mine.get(key)):
            continue
        if owner(old, mac) != owner(new, mac):
            return ["other", owner(old, mac)]
        if key == "deviceSecret" and not blank(theirs) and theirs != mine[key]:
            return ["two", None]
        own[name] = mine
        what = "kept"
    if what == "kept" and new.get("burnProductSecret") is True and not old.get("productSecret"):
        own["productSecret"] = ""
    if "setup" in new and "wifi" not in new and old.get("wifi"):  # a person gave it
        text = text.replace("{", '{\n  "wifi": %s,' % json.dumps(old["wifi"]), 1)
    for key in own:
        text = text.replace('"@%s@"' % key, json.dumps(own[key]))
    if json.loads(text) == old:
        return ["same", None]
    pending = text, what
    return [what, None]


def write_info():
    """Writes what merge() made, so that a power cut leaves the old file or the new one."""
    if pending is None:
        return
    text, what = pending
    if what == "damaged":
        os.rename(PATH, PATH + ".bad")
    temporary = PATH + ".tmp"
    with open(temporary, "w") as file:
        file.write(text)
    with open(temporary) as file:
        if file.read() != text:
            raise OSError("device_info.json does not read back")
    os.rename(temporary, PATH)
