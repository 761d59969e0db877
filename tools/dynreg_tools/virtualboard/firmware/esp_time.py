"""time as on an ESP32: epoch 2000, 8-tuples, and the board's own clock. Device side."""

import _board
import _calendar

_native = _board.native["time"]
_EPOCH_S = _board.EPOCH_S

sleep = _native.sleep
sleep_ms = _native.sleep_ms
sleep_us = _native.sleep_us
ticks_ms = _native.ticks_ms
ticks_us = _native.ticks_us
ticks_cpu = _native.ticks_cpu
ticks_add = _native.ticks_add
ticks_diff = _native.ticks_diff


if _board.fast:
    sleep_ms = _board.sleep_ms

    def sleep(seconds):
        sleep_ms(int(seconds * 1000))

    def sleep_us(us):
        sleep_ms(us / 1000)

    def ticks_ms():
        return int(_board.now_ms())

    def ticks_us():
        return int(_board.now_ms() * 1000)


def time_ns():
    return _board.unix_ns() - _EPOCH_S * 1_000_000_000


def time():
    return time_ns() // 1_000_000_000


def gmtime(secs=None):
    return _calendar.date((time() if secs is None else int(secs)) + _EPOCH_S)


localtime = gmtime


def mktime(when):
    if not 8 <= len(when) <= 9:
        raise TypeError("mktime needs a tuple of length 8 or 9")
    return _calendar.unix(*when[:6]) - _EPOCH_S
