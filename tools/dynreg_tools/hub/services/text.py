"""JSON as services read and write it."""

import json
from typing import Any


def parsed(payload: bytes) -> dict[str, Any] | None:
    """The JSON object that a device has sent; None where it is none."""
    try:
        value = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def dump(value: object) -> bytes:
    """A message as it goes out."""
    return json.dumps(value, separators=(",", ":")).encode()
