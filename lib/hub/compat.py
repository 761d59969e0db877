"""What the vendor's sample takes from a desktop's Python and a board lacks.

    import hub.compat

in boot.py, before the program: `import logging` works, time has strftime(), sys has _getframe().
time then counts Unix seconds, as a desktop's does, and local time is UTC. A program that counts
from the board's own epoch leaves this out.
"""

import sys

import utime
from dynreg import log, port

from .hub import calling, get_ident

# An ESP32's floats have 24 bits: a second of today is told from the next by 128 only.
_COARSE = float(1 << 24) + 1 == float(1 << 24)
_SPAN = 128
_FIELDS = (
    ("%Y", "%04d", 0),
    ("%m", "%02d", 1),
    ("%d", "%02d", 2),
    ("%H", "%02d", 3),
    ("%M", "%02d", 4),
    ("%S", "%02d", 5),
)


class _Over:
    """A built-in module with more in it."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


class Time(_Over):
    """time, in Unix seconds."""

    coarse = _COARSE

    def time(self):
        return port.unix_ms() // 1000

    def gmtime(self, seconds=None):
        """The time's tuple. A coarse float that may be now is now: the clock is exact."""
        now = self.time()
        value = now if seconds is None else int(seconds)
        if self.coarse and isinstance(seconds, float) and abs(value - now) < _SPAN:
            value = now
        return self._module.gmtime(value - port.EPOCH)

    localtime = gmtime

    def mktime(self, when):
        return int(self._module.mktime(when)) + port.EPOCH

    def strftime(self, text, when=None):
        """%Y %m %d %H %M %S of a time's tuple, now's without; %% is a percent sign."""
        if when is None:
            when = self.gmtime()
        parts = text.split("%%")
        for field, form, place in _FIELDS:
            value = form % when[place]
            parts = [part.replace(field, value) for part in parts]
        return "%".join(parts)


class Sys(_Over):
    """sys, with _getframe().f_code.co_name: the name of the callback that runs."""

    def _getframe(self, depth=0):
        return self

    @property
    def f_code(self):
        return self

    @property
    def co_name(self):
        return calling.get(get_ident()) or "?"


try:
    import logging  # noqa: F401 (micropython-lib's, where it is installed)
except ImportError:
    sys.modules["logging"] = log
if not hasattr(utime, "strftime"):
    sys.modules["time"] = Time(utime)  # pyright: ignore
if not hasattr(sys, "_getframe"):
    sys.modules["sys"] = Sys(sys)  # pyright: ignore
