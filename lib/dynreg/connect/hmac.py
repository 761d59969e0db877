"""HMAC-SHA256, which MicroPython lacks."""

import uhashlib as hashlib


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
