"""What a board's start tells: its `rst:` line, and what the firmware said before it went down.

A pure reading of lines, of the ROMs of all ESP32 and of ESP-IDF's panic handler; see the chips'
rtc.h (soc_reset_reason_t) and esp_system's panic.c.
"""

from __future__ import annotations

import re
import time

from . import remedies

_RESTART = re.compile(r"rst:0x[0-9a-fA-F]{1,2} \((\w+)\)|MPY: soft reboot")
_BANNER = re.compile(r"MicroPython [^;]{3,60}; .* with ")  # of the friendly prompt
# In the order in which they explain each other: a blank flash ends in a watchdog's reset, too.
_SIGNS = (
    ("board.loader", re.compile(r"waiting for download")),
    (
        "board.firmware",
        re.compile(
            r"invalid header|flash read err|csum err|No bootable app|bad partition"
            r"|image at 0x[0-9a-f]+ has invalid",
            re.IGNORECASE,
        ),
    ),
    ("board.brownout", re.compile(r"Brownout detector|BROWN_?OUT")),
    (
        "board.watchdog",
        re.compile(r"Task watchdog got triggered|Interrupt wdt timeout|rst:.*WDT", re.IGNORECASE),
    ),
    (
        "board.panic",
        re.compile(
            r"Guru Meditation|abort\(\) was called|assert failed|stack overflow in task"
            r"|CORRUPT HEAP|Stack smashing"
        ),
    ),
)
_ITSELF = re.compile(r"\((RTC_)?SW_\w+\)")  # machine.reset(), and what comes after a panic
_LOOP = 3  # so many restarts of one kind are no accident,
_WITHIN_S = 60  # when they come in this time
_MAX_LINE = 4096


class Resets:
    """Fed with what a board prints. count: its restarts so far, soft ones too.

    cause: why it restarted last: an error code (remedies.py), or None for an unsuspicious one
    (power, the button, deep sleep). looping: the same cause, three times within a minute.
    """

    def __init__(self) -> None:
        self.count = 0
        self.cause: str | None = None
        self._times: dict[str, list[float]] = {}
        self._before: str | None = None  # what was said since the last restart
        self._line = b""

    def feed(self, data: bytes) -> None:
        """Bytes as they come, in whatever pieces."""
        *lines, rest = (self._line + data).split(b"\n")
        for line in lines:
            self.line(line.decode("latin-1"))
        self._line = rest[-_MAX_LINE:]

    def line(self, text: str) -> None:
        """One line, without its end."""
        sign = next((code for code, pattern in _SIGNS if pattern.search(text)), None)
        found = _RESTART.search(text)
        if found is None:
            if sign in ("board.loader", "board.firmware"):  # said after the rst: line
                self._note(sign)
            self._before = _first(self._before, sign)
            if _BANNER.match(text):
                self.count += 1
            return
        self.count += 1
        if found[1] is None:  # a soft reset is nobody's accident
            return
        cause, self._before = _first(self._before, sign), None
        self._note(cause or ("board.restarts" if _ITSELF.search(text) else None))

    @property
    def looping(self) -> bool:
        times = self._times.get(self.cause or "", [])
        return len(times) >= _LOOP and time.monotonic() - times[-_LOOP] <= _WITHIN_S

    @property
    def why(self) -> str:
        """What the last restart means, and what to do; "" where nothing is known."""
        return ": ".join(remedies.TOOLS[self.cause]) if self.cause else ""

    def _note(self, cause: str | None) -> None:
        self.cause = cause
        if cause:
            self._times.setdefault(cause, []).append(time.monotonic())


def _first(*signs: str | None) -> str | None:
    """That one which explains the others."""
    return next((code for code, _ in _SIGNS if code in signs), None)
