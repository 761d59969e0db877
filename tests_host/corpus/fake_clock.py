"""Time that passes only when somebody waits for it."""

import utime
from dynreg import port
from standins import Namespace, module, replace

NOW = 1798859045  # 2027-01-02 03:04:05 UTC


class Clock:
    """Milliseconds that pass in sleep_ms() and in waits on the network alone.

    Ticks wrap as on a board, where 2**30 ms are 12 days; they start just before that. unix:
    milliseconds of the real-time clock when the Clock is made; None: not set, so 2000. Every
    setting is in `settings`.
    """

    _PERIOD = 1 << 30

    def __init__(self, unix=NOW * 1000, ticks=(1 << 30) - 3000):
        self.passed = 0
        self.slept = []
        self.settings = []
        self._ticks = ticks
        self._unix = 946684800000 if unix is None else unix
        for name in ("ticks_ms", "ticks_add", "ticks_diff", "sleep_ms", "unix_ms", "set_rtc"):
            replace(port, name, getattr(self, name))

    def ticks_ms(self):
        return (self._ticks + self.passed) % self._PERIOD

    def ticks_add(self, ticks, delta):
        return (ticks + delta) % self._PERIOD

    def ticks_diff(self, end, start):
        half = self._PERIOD // 2
        return (end - start + half) % self._PERIOD - half

    def sleep_ms(self, ms):
        self.slept.append(ms)
        self.passed += ms

    def unix_ms(self):
        return self._unix + self.passed

    def set_rtc(self, unix):
        self.settings.append(unix)
        self._unix = unix - self.passed
        return True


class Live(Clock):
    """The same, but time passes as it does: for what an event loop waits for as well."""

    def __init__(self, unix=NOW * 1000):
        self._began = utime.ticks_ms()
        super().__init__(unix)

    @property
    def passed(self):
        return utime.ticks_diff(utime.ticks_ms(), self._began)

    @passed.setter
    def passed(self, ms):
        pass  # a wait on the network that was not waited


def ntp(answer):
    """ntptime.time() gives answer (seconds since the epoch in use) or raises it."""

    def time():
        if isinstance(answer, Exception):
            raise answer
        return answer

    module("ntptime", Namespace(time=time))
