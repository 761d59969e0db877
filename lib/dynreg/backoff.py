"""How long to wait before trying again: exponential, with full jitter, never under 5 s."""

from . import port

_FIRST_MS = 5000  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_MOST_MS = 300000


class Backoff:
    """Hands out waits in milliseconds; reset() after things went well for a while."""

    def __init__(self):
        self.attempts = 0

    def reset(self):
        self.attempts = 0

    def next(self):
        """5 s at first, then anywhere between 5 s and a ceiling that doubles up to 5 min."""
        ceiling = min(_MOST_MS, _FIRST_MS << min(self.attempts, 10))
        self.attempts += 1
        jitter = int.from_bytes(port.random_bytes(4), "big") % (ceiling - _FIRST_MS + 1)
        return _FIRST_MS + jitter
