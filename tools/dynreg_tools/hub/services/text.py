"""JSON as services read and write it."""

import json
import math
from typing import Any


def parsed(payload: bytes) -> dict[str, Any] | None:
    """The JSON object that a device has sent; None where it is none."""
    try:
        value = strict(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def strict(text: str | bytes) -> Any:
    """The value of a JSON text (RFC 8259); ValueError for NaN and numbers that no float holds.

    Python takes them, and what it makes of them again no other reader takes.
    """
    return json.loads(text, parse_constant=_number, parse_float=_number)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def dump(value: object) -> bytes:
    """A message as it goes out."""
    return json.dumps(value, separators=(",", ":")).encode()
