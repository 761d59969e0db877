"""Unix time on any epoch: is the clock set, what time is it."""

import time

from . import port

# 2025-01-01, in Unix seconds: no board that runs this is older, so an earlier clock is unset.
FLOOR = 1735689600
_CEILING = 4102444800  # 2100-01-01


def plausible(seconds):
    """Whether Unix seconds can be now; a clock that lost power says 2000 or 1970."""
    return FLOOR <= seconds < _CEILING


def unix_time():
    """Unix seconds, or 0 where the clock is not set (docs/protocol.md, 2: then 0 is signed)."""
    seconds = port.unix_ms() // 1000
    return seconds if plausible(seconds) else 0


def text(unix):
    """Unix milliseconds as "2021-07-15 15:00:18", UTC."""
    return "%04d-%02d-%02d %02d:%02d:%02d" % time.gmtime(unix // 1000 - port.EPOCH)[:6]
