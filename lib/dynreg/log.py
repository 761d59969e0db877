"""One line a step on the serial console: seconds since boot, level, step. Never a secret."""

from utime import ticks_diff, ticks_ms  # pyright: ignore

DEBUG, INFO, WARNING, ERROR = 10, 20, 30, 40
_last = ticks_ms()
_ms = 0

level = INFO


def line(name, text):
    """One line on the console; a program may put its own function in this one's place."""
    # Added up, since the difference of two ticks turns negative after six days.
    global _last, _ms
    now = ticks_ms()
    _ms += ticks_diff(now, _last)
    _last = now
    print("%9.3f %-5s %s" % (_ms / 1000, name, text))


def _at(value, name):
    """Writes a line of text where `level` lets it through."""

    def write(text):
        if value >= level:
            line(name, text)

    return write


debug = _at(DEBUG, "DEBUG")
info = _at(INFO, "INFO")
warning = _at(WARNING, "WARN")
error = _at(ERROR, "ERROR")
