"""Differences between platforms that always matter, Unix time, and steps: code loaded for a call.

No module but that of a step asks where it runs. Built-in modules are imported by their u-names,
which MicroPython looks up without searching the file system.
"""

import gc
import sys

import utime as time
from micropython import const
from uos import urandom as random_bytes  # noqa: F401 (the hardware's or the system's own source)
from utime import sleep_ms, ticks_add, ticks_diff, ticks_ms  # noqa: F401

# Seconds from 1970 to the platform's own epoch: esp32 and stm32 count from 2000.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0
# 2026-11-01, in Unix seconds, when this was released: an earlier clock is unset or wrong.
_FLOOR = const(1793491200)
_CEILING = const(2840140800)  # 2060-01-01: before 1.26 MicroPython's calendar ends in 2068
_SLICE_MS = const(500)
_COLLECT = const(2048)  # bytes from collection to collection: what stays lies close together,
_TIGHT = const(262144)  # where less than this is free; a collection takes long in a large heap
_threshold = getattr(gc, "threshold", lambda *size: None)


def step(module, function, *args):
    """Calls a function of one of dynreg's modules, loaded for this call and gone after it.

    module: below dynreg ("mqtt.session"). Whatever else of dynreg it brings is dropped with it,
    and the HTTP and MQTT libraries: so it returns plain data, or an object of a module that stays,
    or one that needs no module but its own.
    """
    loaded = list(sys.modules)
    gc.collect()  # here, where the stack is low and holds no more of what is past
    before = _threshold()
    if before is not None and gc.mem_free() < _TIGHT:
        _threshold(_COLLECT)
    try:
        return getattr(__import__(__name__[:-4] + module, None, None, (function,)), function)(
            *args
        )
    finally:
        unload(loaded)
        _threshold(before)


def unload(modules):
    """Drops all of dynreg's modules but these. Packages stay: the next step finds them at once."""
    for name in list(sys.modules):
        if name in modules or not (
            name.startswith(__name__[:-4]) or name in ("requests", "urequests", "umqtt.simple")
        ):
            continue
        package, _, module = name.rpartition(".")
        if not hasattr(sys.modules[name], "__path__"):
            sys.modules.pop(name)
            if package and hasattr(sys.modules[package], module):
                delattr(sys.modules[package], module)
    gc.collect()


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


def unique_id():
    """The chip's id, bytes: on an ESP32 the 6 bytes of its MAC. Empty where there is none."""
    try:
        import umachine as machine

        return bytes(machine.unique_id())
    except (ImportError, AttributeError):
        return b""


def nvs():
    """Our namespace in an ESP32's NVS; None on ports without, OSError where it does not open."""
    try:
        from esp32 import NVS
    except ImportError:
        return None
    return NVS("dynreg")


def unix_ms():
    """The real-time clock as Unix milliseconds, whatever the platform's epoch; set or not."""
    return (time.time_ns() // 1000000) + EPOCH * 1000


def plausible(value):
    """Whether so many Unix seconds can be now; a clock that lost power says 2000 or 1970."""
    return _FLOOR <= value < _CEILING


def unix_time():
    """Unix seconds, or 0 where the clock is not set (docs/protocol.md, 2: then 0 is signed)."""
    seconds = unix_ms() // 1000
    return seconds if plausible(seconds) else 0


def set_rtc(value):
    """Sets the real-time clock to Unix milliseconds. False where there is none to set."""
    try:
        from umachine import RTC
    except ImportError:
        return False
    seconds, ms = divmod(value, 1000)
    try:
        year, month, day, hour, minute, second, weekday = time.gmtime(seconds - EPOCH)[:7]
    except (OverflowError, ValueError):  # where its numbers end in 2038
        return False
    RTC().datetime((year, month, day, weekday, hour, minute, second, ms * 1000))
    return True


def utc(value):
    """Unix milliseconds as "2021-07-15 15:00:18", UTC; the number where the calendar ends."""
    try:
        return "%04d-%02d-%02d %02d:%02d:%02d" % time.gmtime(value // 1000 - EPOCH)[:6]
    except (OverflowError, ValueError):
        return str(value)
