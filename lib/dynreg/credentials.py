"""The device secret in flash: written so that a power cut leaves the old file or the new one."""

import json
import os

from . import port
from .device_info import read
from .errors import StorageError


def store(path, secret):
    """Puts secret into device_info.json at path as key_deviceinfo.deviceSecret.

    Every other key, known or not, and the file's layout stay. Temp file, rename, read-back:
    StorageError where the flash does not give back what was written. Source: docs/protocol.md, 3.
    """
    values = read(path)
    with open(path) as file:
        text = _replaced(file.read(), values, secret)
    temporary = path + ".tmp"
    try:
        with open(temporary, "w") as file:
            file.write(text)
        port.sync()
        _check(temporary, text)
        os.rename(temporary, path)
        port.sync()
        _check(path, text)
    except (OSError, UnicodeError) as error:
        raise StorageError("storage", "%s cannot be written: %r" % (path, error)) from None


def recover(path):
    """Puts back a file that a power cut on FAT left under its temporary name only."""
    try:
        os.stat(path)
    except OSError:
        try:
            json.loads(_text(path + ".tmp"))
            os.rename(path + ".tmp", path)
        except (OSError, ValueError):
            pass


def _check(path, text):
    if _text(path) != text:
        raise StorageError("storage", "%s does not read back as written" % path)


def _text(path):
    with open(path) as file:
        return file.read()


def _replaced(text, values, secret):
    """The file's text with only the secret's own characters changed, where they can be found."""
    section = values["key_deviceinfo"] = values.get("key_deviceinfo") or {}
    old = section.get("deviceSecret")
    section["deviceSecret"] = secret
    for head in ('"deviceSecret":', '"deviceSecret" :'):
        start = text.find(head, text.find('"key_deviceinfo"'))
        first = text.find('"', start + len(head))
        if start >= 0 and isinstance(old, str) and text[first + 1 :].startswith(old + '"'):
            spliced = text[: first + 1] + secret + text[first + 1 + len(old) :]
            try:
                if json.loads(spliced) == values:
                    return spliced
            except ValueError:
                pass
    return json.dumps(values)
