"""utime: time, with MicroPython's ticks, which never wrap here."""

from time import *  # noqa: F403
from time import monotonic_ns, sleep


def ticks_ms():
    return monotonic_ns() // 1000000


def ticks_add(ticks, delta):
    return ticks + delta


def ticks_diff(end, start):
    return end - start


def sleep_ms(ms):
    sleep(ms / 1000)
