"""MicroPython's machine module: a chip's id and a real-time clock that only remembers.

Tests set UNIQUE_ID and read RTC.written.
"""

UNIQUE_ID = b"\x24\x6f\x28\x00\x00\x01"


def unique_id():
    return UNIQUE_ID


class RTC:
    written = []  # noqa: RUF012 (one clock for all, as on a board)

    def datetime(self, value=None):
        if value is None:
            return self.written[-1] if self.written else (2000, 1, 1, 5, 0, 0, 0, 0)
        self.written.append(tuple(value))
        return None
