"""After a failure: what a refused login says, and when to try again, never under 5 s."""

from micropython import const

from .. import log, port
from ..errors import LoginError

_FIRST_MS = const(5000)  # the cloud takes one connect per 5 s (docs/protocol.md, 4)
_MOST_MS = const(300000)
_LATER_MS = const(900000)  # of an error whose retry is 900
_SPREAD_MS = const(2700000)
_STABLE_MS = const(60000)
_MOST_REFUSALS = const(3)  # in a row, soon; then later: a person must look
_REFUSALS = const(
    (
        "unknown reason",
        "protocol version not taken",
        "client id not taken",
        "bad credentials",
        "bad user name or password",
        "not authorised",
    )
)
_ADVICE = const(
    "is the device disabled in the console? If it was deleted there, erase its credential with "
    "Device.forget(confirm=product id) and reset"
)


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


def refusal(history, code):
    """The LoginError for a CONNACK with this code; counted in history (see notes.read())."""
    history["refusals"] += 1
    soon = code > 2 and history["refusals"] < _MOST_REFUSALS
    text = "the broker refuses the login: %s (CONNACK %d)" % (
        _REFUSALS[code if 0 < code < 6 else 0],
        code,
    )
    if code > 2 and not soon:
        text = "%s, %d times: %s" % (text, history["refusals"], _ADVICE)
    return LoginError("login.%d" % code, text, soon or None)


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
