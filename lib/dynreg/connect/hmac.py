"""HMAC-SHA256, which MicroPython lacks, and the key for it out of a device secret."""

import uhashlib as hashlib
from ubinascii import a2b_base64, b2a_base64


def key(text):
    """A device secret's bytes. ValueError unless it is padded base64, with nothing else in it."""
    data = a2b_base64(text)
    # What binascii skips, the length tells.
    if not data or len(b2a_base64(data)) != len(text) + 1 or "=" in text[:-2]:
        raise ValueError
    return data


def hmac(key, message):
    """The 32 raw bytes of HMAC-SHA256 (RFC 2104); key and message are bytes."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(message)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()
