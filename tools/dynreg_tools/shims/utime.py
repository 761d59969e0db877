"""utime: time, with MicroPython's ticks, which never wrap here."""

from time import gmtime, localtime, mktime, monotonic_ns, sleep, time, time_ns

__all__ = [
    "gmtime",
    "localtime",
    "mktime",
    "sleep",
    "sleep_ms",
    "ticks_add",
    "ticks_diff",
    "ticks_ms",
    "time",
    "time_ns",
]


def ticks_ms() -> int:
    return monotonic_ns() // 1000000


def ticks_add(ticks: int, delta: int) -> int:
    return ticks + delta


def ticks_diff(end: int, start: int) -> int:
    return end - start


def sleep_ms(ms: float) -> None:
    sleep(ms / 1000)
