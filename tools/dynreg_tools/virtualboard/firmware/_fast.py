"""A clock that does not wait: what the program sleeps through passes at once. Device side.

Only for boards powered on with fast_forward. Time goes on by itself as well, `rate` times as fast
as the host's. A wait for the network really waits, up to _MAX_REAL_MS of the host's time; when
nothing has come by then, the rest of it counts as waited.
"""

import _board

_MAX_REAL_MS = 400  # a local hub answers within a tenth of it
_host = _board.native["time"]
_begin = _host.ticks_us()


class Fast:
    """The board's time, in milliseconds since power-on."""

    def __init__(self, rate):
        self._rate = rate
        self._skipped = 0

    def now(self):
        """Milliseconds, a float."""
        return self._passed_us() * self._rate / 1000 + self._skipped

    def _passed_us(self):
        return _host.ticks_diff(_host.ticks_us(), _begin)

    def ahead_ns(self):
        """How far the board's time is ahead of the host's."""
        return int(self.now() * 1_000_000) - self._passed_us() * 1000

    def skip(self, ms):
        """Lets ms milliseconds pass at once."""
        self._skipped += max(0, ms)

    def real_ms(self, ms):
        """How many of the host's milliseconds to wait for ms of the board's, at least 1."""
        return max(1, min(_MAX_REAL_MS, int(ms / self._rate)))

    def until(self, end):
        """Lets the time pass up to end, as now() gives it."""
        self.skip(end - self.now())
