"""What setup writes into device_info.json: one object in it, all else as it was."""

import ujson as json

from ...errors import ConfigError, StorageError
from ...storage import device_file, store


class _Place:
    """What device_file asks of a DeviceInfo for its sentences."""

    def __init__(self, path):
        self.path = path


def keep(path, section, changes):
    """Sets changes (str by key) in the object section of the file at path, which may have none.

    The file holds the old or the new whenever the power goes; all else in it stays. StorageError,
    also for what the board would not read back as it is: then it would start no more.
    """
    try:
        place = _Place(path)
        for key in changes:
            if changes[key]:
                text = device_file._text(place, changes, key)
                if device_file._joined(place, key, text) != text:
                    raise ConfigError("config", key + " holds two halves of a character")
        values = device_file.read(path)
        text = device_file._contents(path).decode()
        own = values.get(section) or {}
        own.update(changes)
        values[section] = own
        text = _spliced(text, section, json.dumps(own)).encode()
        try:
            same = device_file.parse(path, text) == values
        except ConfigError:
            same = False
        if not same:  # a layout that is not understood: correct beats pretty
            text = store._anew(path, values).encode()
            device_file.parse(path, text)
        store.replace(path, text)
    except (OSError, ConfigError) as error:
        raise StorageError("storage", "%s cannot be written: %s" % (path, error)) from None


def _spliced(text, section, own):
    name = '"%s"' % section
    at = text.find(name)
    start = text.find("{", at)
    if at >= 0 and text[at + len(name) : start].strip() == ":":
        return text[:start] + own + text[text.find("}", start) + 1 :]
    at = text.find("{") + 1
    stop = len(text) - len(text[at:].lstrip())
    comma = "" if text[stop] == "}" else "," + text[at:stop]
    return "%s%s: %s%s%s" % (text[:stop], name, own, comma, text[stop:])
