"""Unix time on any epoch: is the clock set, the first clock, the cloud's time exchange."""

import time

from . import log, port

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


def first():
    """Makes sure that certificates can be judged: asks NTP where the clock is unset.

    Returns whether the clock is set. A hint only: the time that counts comes with the login.
    """
    if unix_time():
        return True
    try:
        import ntptime

        seconds = ntptime.time() + port.EPOCH
    except ImportError:
        log.warning("clock: not set, and no ntptime on this platform")
        return False
    except (OSError, ValueError, IndexError) as error:
        log.warning("clock: not set, and NTP does not answer (%r)" % error)
        return False
    # Some releases take a server's refusal for a time (year 2036 and others).
    if not plausible(seconds):
        log.warning("clock: not set, and NTP answers nonsense (%d)" % seconds)
        return False
    port.set_rtc(seconds * 1000)
    log.info("clock: %s UTC by NTP, until the cloud says better" % text(seconds * 1000))
    return True


def exchange(reply, elapsed):
    """Unix milliseconds now, from a time reply and the round trip (docs/protocol.md, 6).

    reply: the JSON object; elapsed: milliseconds from request to reply. None where the reply
    holds no plausible time.
    """
    try:
        if "ntptime1" in reply and "ntptime2" in reply:
            now = (int(reply["ntptime1"]) + int(reply["ntptime2"]) + elapsed) // 2
        else:
            now = int(reply["time"]) * 1000 + elapsed // 2
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return now if plausible(now // 1000) else None


def text(unix):
    """Unix milliseconds as "2021-07-15 15:00:18", UTC."""
    return "%04d-%02d-%02d %02d:%02d:%02d" % time.gmtime(unix // 1000 - port.EPOCH)[:6]
