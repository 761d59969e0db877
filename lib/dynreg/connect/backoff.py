"""How long to wait before trying again: exponential, with full jitter, never under 5 s."""

from micropython import const

from .. import port

_FIRST_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_MOST_MS = const(300000)


def wait_ms(failures):
    """5 s after the first failure, then anywhere between 5 s and a ceiling that doubles to 5 min.

    failures: how often in a row it failed, from 1.
    """
    ceiling = min(_MOST_MS, _FIRST_MS << min(failures - 1, 10))
    jitter = int.from_bytes(port.random_bytes(4), "big") % (ceiling - _FIRST_MS + 1)
    return _FIRST_MS + jitter
