"""After a failure: when to try again. Exponential, with full jitter, never under 5 s."""

from micropython import const

from .. import log, port

_FIRST_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_MOST_MS = const(300000)
_LATER_MS = const(900000)  # of an error whose retry is 900
_SPREAD_MS = const(2700000)
_STABLE_MS = const(60000)


def wait_ms(failures, error):
    """Milliseconds to wait, with jitter, after error (a DynregError) came `failures` times.

    Soon (retry is True): 5 s after the first failure, then anywhere between 5 s and a ceiling that
    doubles to 5 min. Later (900): 15 to 60 min. Any other number is what the server asked for, in
    seconds: no earlier, and spread as for soon.
    """
    least = max(_FIRST_MS, error.retry * 1000)
    spread = min(_MOST_MS, _FIRST_MS << min(failures - 1, 10)) - _FIRST_MS
    if least == _LATER_MS:
        spread = _SPREAD_MS
    return least + int.from_bytes(port.random_bytes(4), "big") % (spread + 1)


def lost(session, error):
    """Closes session, poll() tries again after a while; raises error where that mends nothing."""
    if not error.retry:
        raise error
    # Negative after six days: long enough as well.
    if session.link and not 0 <= port.ticks_diff(port.ticks_ms(), session.since) <= _STABLE_MS:
        session.failures = 0
    session.close()
    session.failures += 1
    wait = wait_ms(session.failures, error)
    session.retry_at = port.ticks_add(port.ticks_ms(), wait)
    log.warning("connection lost: %s [%s]; again in %d s" % (error, error.code, wait // 1000))
