"""Changing strings in device_info.json; all else in it, known or not, and its layout stay."""

import json

from . import record
from .errors import StorageError


def change(path, section, changes):
    """Sets changes (str by key) in the object section of the file at path, None: at the top.

    StorageError where the flash does not take it, or where the file cannot be written anew: then
    it stays as it was.
    """
    text = record.contents(path).decode()
    values = json.loads(text)
    if section and not values.get(section):
        values[section] = {}
    (values[section] if section else values).update(changes)
    for key in changes:
        text = _spliced(text, section, key, changes[key])
    try:
        if json.loads(text) != values:
            raise ValueError
    except ValueError:  # a layout that we do not understand: correct beats pretty
        text = _anew(path, values)
    try:
        record.replace(path, text.encode())
    except OSError as error:
        raise StorageError("storage", "%s cannot be written: %r" % (path, error)) from None


def _anew(path, values):
    try:
        text = json.dumps(values)
        json.loads(text)  # a number beyond the float's range comes out as inf, which is no JSON
        return text
    except (ValueError, RuntimeError):
        raise StorageError(
            "storage", "%s holds what cannot be written anew: make it simpler" % path
        ) from None


def _spliced(text, section, key, value):
    brace = text.find("{", text.find('"%s"' % section) if section else 0)
    at = text.find('"%s"' % key, brace)
    if at >= 0 and (not section or at < text.find("}", brace)):
        first = text.find('"', text.find(":", at)) + 1
        return text[:first] + value + text[text.find('"', first) :]
    stop = brace + 1
    while text[stop : stop + 1] in (" ", "\r", "\n", "\t"):
        stop += 1
    comma = "" if text[stop : stop + 1] == "}" else "," + text[brace + 1 : stop]
    return text[:stop] + '"%s": "%s"%s' % (key, value, comma) + text[stop:]
