"""machine as on an ESP32: id, resets, RTC, watchdog, pins that remember. Device side."""

import _board
import _calendar

_native = _board.native["machine"]

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

for _name in ("Signal", "idle", "mem8", "mem16", "mem32", "soft_reset", "time_pulse_us"):
    if hasattr(_native, _name):
        globals()[_name] = getattr(_native, _name)
del _name


def unique_id():
    return bytes(_board.config["mac"])


def reset():
    _board.send("R")
    _board.wait_for_the_end()


def deepsleep(time_ms=0):
    """0 sleeps until the reset button; wakes as DEEPSLEEP_RESET."""
    _board.send("D%d" % time_ms)
    _board.wait_for_the_end()


def reset_cause():
    return _board.config["cause"]


def freq(hz=None):
    return 160000000 if hz is None else None


class RTC:
    """The clock of the board: kept over every reset, lost when power goes."""

    def datetime(self, when=None):
        if when is None:
            now = _board.unix_ns()
            t = _calendar.date(now // 1_000_000_000)
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], now // 1000 % 1_000_000)
        year, month, day, _, hour, minute, second, micro = when
        unix = _calendar.unix(year, month, day, hour, minute, second)
        _board.set_unix_ns(unix * 1_000_000_000 + micro * 1000)

    def init(self, when):
        # the ESP32 counts the hour one place earlier here than in datetime()
        self.datetime(tuple(when[:3]) + (0,) + tuple(when[3:6]) + (when[7],))


class WDT:
    """Cannot be stopped; not fed for timeout ms it resets the board."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        _board.send("W%d" % timeout)

    def feed(self):
        _board.send("F")


class Pin(_native.PinBase):
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    _levels = {}

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self._id = id
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            return self._levels.get(self._id, 0)
        self._levels[self._id] = 1 if level else 0

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self.value())
