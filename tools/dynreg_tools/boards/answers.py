"""What a board answers, checked before anything is decided by it: its fields and their types.

A board may run anything, and its answer may be a path, a number, or megabytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .errors import BoardError

Check = Callable[[Any], bool]
_MAC = re.compile(r"[0-9a-f]{2}(:?[0-9a-f]{2}){2,15}")  # an ESP32's has six bytes
_DEVICE = re.compile(r"[A-Za-z0-9:_-]{1,64}")  # product id and device name
_FINGERPRINT = re.compile(r"[0-9a-f]{8}")
_CODE = re.compile(r"[a-z_]{1,30}(\.[a-z_]{1,30}){0,3}")


def mac(value: Any) -> bool:
    """Hex digits, with or without colons: never a path."""
    return isinstance(value, str) and bool(_MAC.fullmatch(value))


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    return isinstance(value, int) and not flag(value)


def texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(text, value))


def digests(value: Any) -> bool:
    """{path: SHA-256}"""
    return isinstance(value, dict) and all(map(text, value.values()))


def optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def like(pattern: re.Pattern[str]) -> Check:
    return lambda value: text(value) and bool(pattern.fullmatch(value))


BOARD: dict[str, Check] = {  # identify() of onboard/identify.py
    "mac": mac,
    "machine": text,
    "micropython": text,
    "mpy": whole,
    "unix": lambda value: whole(value) or isinstance(value, float),
    "product": optional(text),
    "device": optional(text),
    "registered": flag,
    "frozen": optional(text),
}
HELD: dict[str, Check] = {  # held() of onboard/credential.py
    "places": texts,
    "files": texts,
    "owner": optional(text),
    "mac": lambda value: value == "" or (mac(value) and ":" not in value),
    "flash": whole,
    "machine": text,
    "version": text,
}
STATUS: dict[str, Check] = {  # status() of onboard/status.py where it could say
    "text": text,
    "state": optional(lambda value: isinstance(value, dict) and optional(mac)(value.get("mac"))),
}
NO_STATUS: dict[str, Check] = {"error": like(_CODE), "message": text}
REPORT: dict[str, Check] = {  # Device.report(); what it may leave out is None
    "mac": optional(mac),
    "device": optional(like(_DEVICE)),
    "fingerprint": optional(like(_FINGERPRINT)),
    "stored": optional(flag),
    "connected": optional(flag),
    "registered": optional(flag),
    "clock_set": optional(flag),
    "unix_ms": optional(whole),
    "tls": optional(text),
    "error": optional(like(_CODE)),
}


def wrong(value: Any, fields: dict[str, Check]) -> str | None:
    """What of a value is not as `fields` say, in words; None where all is."""
    if not isinstance(value, dict):
        return "it is no object"
    for name, check in fields.items():
        if not check(value.get(name)):
            return f"its {name} is not one"
    return None


def one(port: str, value: Any, check: Check) -> Any:
    """The value, which is an answer by itself; BoardError "board.answer" where it cannot be."""
    return checked(port, {"answer": value}, {"answer": check})["answer"]


def checked(port: str, value: Any, fields: dict[str, Check]) -> Any:
    """The value; BoardError "board.answer" where it is not as `fields` say."""
    fault = wrong(value, fields)
    if fault:
        raise BoardError(
            "board.answer",
            f"{port}: the board answers what cannot be ({fault})",
        )
    return value
