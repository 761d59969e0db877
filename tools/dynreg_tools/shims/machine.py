"""MicroPython's machine module: a chip's id and a real-time clock that only remembers.

Tests set UNIQUE_ID and read RTC.written.
"""

from collections.abc import Sequence
from typing import ClassVar

UNIQUE_ID = b"\x24\x6f\x28\x00\x00\x01"


def unique_id() -> bytes:
    return UNIQUE_ID


class RTC:
    written: ClassVar[list[tuple[int, ...]]] = []  # one clock for all, as on a board

    def datetime(self, value: Sequence[int] | None = None) -> tuple[int, ...] | None:
        if value is None:
            return self.written[-1] if self.written else (2000, 1, 1, 5, 0, 0, 0, 0)
        self.written.append(tuple(value))
        return None
