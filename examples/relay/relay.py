"""What a relay does; no network here."""

import time


class Relay:
    """on: how it stands, but for a pulse, during which it is the other way."""

    def __init__(self, pin, on=False):
        self.pin = pin
        self._ends = None  # ticks_ms at which the pulse is over
        self.set(on)

    def set(self, on):
        """Ends a pulse, too."""
        self.on = on
        self._ends = None
        self.pin.value(on)

    def pulse(self, ms):
        self.pin.value(not self.on)
        self._ends = time.ticks_add(time.ticks_ms(), ms)

    def update(self):
        """Ends a pulse that is over; whether there is none now."""
        if self._ends is not None and time.ticks_diff(time.ticks_ms(), self._ends) >= 0:
            self.set(self.on)
        return self._ends is None
