"""Differences between platforms that matter all the time; board.py has those of a single step.

No other room asks where it runs.
"""

import gc
import os
import sys
import time

MICROPYTHON = sys.implementation.name == "micropython"

# Seconds from 1970 to the platform's own epoch: esp32 and stm32 count from 2000.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0

if MICROPYTHON:
    from time import sleep_ms, ticks_add, ticks_diff, ticks_ms  # pyright: ignore
else:

    def ticks_ms():
        return time.monotonic_ns() // 1000000  # pyright: ignore

    def ticks_add(ticks, delta):
        return ticks + delta

    def ticks_diff(end, start):
        return end - start

    def sleep_ms(ms):
        time.sleep(ms / 1000)


_SLICE_MS = 500


def idle():
    """Called twice a second while dynreg waits; Device(idle=…) puts the program's own here."""


def pause(ms):
    """Sleeps, with idle() called in between: a watchdog must not starve on a back-off."""
    while ms > 0:
        idle()
        sleep_ms(min(ms, _SLICE_MS))
        ms -= _SLICE_MS


def wait(poll, ms):
    """Whether poll (of select) reports something within ms milliseconds; idle() meanwhile."""
    while True:
        if poll.poll(max(0, min(ms, _SLICE_MS))):
            return True
        ms -= _SLICE_MS
        if ms <= 0:
            return False
        idle()


random_bytes = os.urandom  # the hardware's or the system's own source


def unix_ms():
    """The real-time clock as Unix milliseconds, whatever the platform's epoch; set or not."""
    return (time.time_ns() // 1000000) + EPOCH * 1000


def set_rtc(unix):
    """Sets the real-time clock to Unix milliseconds. False where there is none to set."""
    try:
        from machine import RTC
    except ImportError:
        return False
    seconds, ms = divmod(unix, 1000)
    year, month, day, hour, minute, second, weekday = time.gmtime(seconds - EPOCH)[:7]
    RTC().datetime((year, month, day, weekday, hour, minute, second, ms * 1000))
    return True


def forget(*names):
    """Drops dynreg's rooms that later steps do not need, so that their memory is free for TLS."""
    for name in names:
        package, _, room = ("dynreg." + name).rpartition(".")
        sys.modules.pop("dynreg." + name, None)
        if package in sys.modules and hasattr(sys.modules[package], room):
            delattr(sys.modules[package], room)
    gc.collect()
