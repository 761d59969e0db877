"""The cloud's time exchange (docs/protocol.md, 6): asked, answered, the clock set.

An exchange says in what interval the time lies: half of its round trip around the middle. A login
that takes its time, or a reply held back until another is acknowledged (Nagle), makes the first
round trip long; so poll() asks once more, for an answer that is alone on its way.
"""

import ujson as json
from micropython import const

from .. import log, port
from ..errors import NetworkError, ProtocolError

_EARLY_MS = const(3000)  # for the answer to a request that is on its way already
_FRESH_MS = const(50)  # read within this, it had come before; then its arrival counts
_DAY = const(86400000)
_PATIENT_MS = const(10000)  # no answer for so long, and the broker has no time to tell
_GOOD_MS = const(5)  # no better time is asked for
_TRIES = const(3)  # of poll(), to have a better one (refine.py)
_TURNED_DOWN = const(2)  # in history["early"], as in connect/login.py
_SILENT = const(4)  # this broker told no time at all
_NOW_SILENT = const(12)  # found at this boot: who asks again may wait


def sync(session, ms):
    """Sets the clock by the cloud's; Unix milliseconds.

    session.early: (packet id, ticks_ms asked, ticks_ms answered) of the request behind the
    CONNECT; of poll()'s: (packet id or None, ticks_ms asked, None).
    NetworkError when no reply comes within ms, and at once where the broker told none before:
    poll() asks then. ProtocolError when it holds no time.
    """
    early, history = session.early, session.history
    now = None
    if history["early"] & _NOW_SILENT == _SILENT:
        if early and port.ticks_diff(port.ticks_ms(), early[1]) > _PATIENT_MS:
            session.early = None  # no answer comes to it: poll() may ask again
        session.attempts = _TRIES
        ms = 0
    else:
        if early and not session.reply:
            now = _exchange(session, min(ms, _EARLY_MS), early)
            if now is None and early[2]:
                log.warning("time: no answer to the early request")
                _note(history, "early", _TURNED_DOWN)
        if now is None:
            now = _exchange(session, ms, None)
        if now is None and ms >= _PATIENT_MS:
            _note(history, "early", history["early"] | _NOW_SILENT)
    if now is None:
        raise NetworkError("network.timeout", "no time from the cloud after %d s" % (ms // 1000))
    log.info("time: PUBLISH with the time, current time: %s" % port.utc(now))
    return now


def ask(session):
    """Sends a request, with no SUBSCRIBE where the topic is there; session.early says when."""
    from .encode import ask_time

    pid = session.next_pid() if session.reply is None else None
    early = pid, port.ticks_ms(), None  # before it goes: no later than it went
    session.send(ask_time(pid, session.info.owner))
    session.early = early


def _exchange(session, ms, early):
    """Unix milliseconds now, and the clock set; None when no reply comes within ms.

    early: as session.early, of a request that is on its way; None sends one.
    """
    begun = port.ticks_ms()
    if not early:
        session.send()
        while session.link.ready(0):  # an earlier request's reply must not pass for this one's
            session.receive()
        if session.reply:
            session.reply = False
        ask(session)
        early = session.early
    session.early = None
    pid, sent, arrived = early
    session.attempts = 0
    topic = "$sys/operation/result/" + session.info.owner
    if pid:
        log.info("time: SUBSCRIBE %s QoS 0" % topic)
    log.info("time: PUBLISH the request%s" % (", behind the CONNECT" if arrived else ""))
    try:
        if pid:
            session.wait_suback(pid, topic)
            log.info("time: SUBACK")
        while True:
            if not session.wait(lambda: session.reply, ms):
                return None
            message, received = session.reply  # pyright: ignore (False before)
            session.reply = False
            data = time_in(message)
            if data:
                break
    except NetworkError:
        if not session.connected:
            raise
        return None
    if not arrived or port.ticks_diff(received, begun) >= _FRESH_MS:
        arrived = received
    now, within = exchange(data, port.ticks_diff(arrived, sent))
    if not now:
        raise ProtocolError("protocol.time", "the cloud's time reply holds no time")
    within += port.ticks_diff(received, arrived)  # it came in between, most likely at once
    if pid and within > _GOOD_MS:
        session.attempts = _TRIES
    now += port.ticks_diff(port.ticks_ms(), arrived)
    set_clock(session, now, within)
    return now


def time_in(message):
    """The time reply, a dict; None for what else comes on the topic (other services')."""
    try:
        reply = json.loads(message)
        if reply["type"] == "get" and "time" in reply:
            return reply
    except (ValueError, TypeError, KeyError, RuntimeError):
        pass
    return None


def set_clock(session, now, within):
    """Sets the clock to Unix milliseconds that are right within so many."""
    history, session.within = session.history, within
    if not port.set_rtc(now):
        log.warning("time: this platform has no clock to set")
    # An earlier day too: a wrong one must not stay for ever.
    _note(history, "day", now // _DAY)
    _note(history, "early", history["early"] & ~_NOW_SILENT)


def _note(history, key, value):
    if history[key] != value:
        history[key] = value
        history["changed"] = True


def exchange(data, ticks):
    """(Unix milliseconds now, by how many that is off at most) from a reply and the round trip.

    data: the JSON object; ticks: milliseconds from request to reply (docs/protocol.md, 6). Zeros
    where the reply holds no plausible time.
    """
    try:
        if "ntptime1" in data and "ntptime2" in data:
            came, went = int(data["ntptime1"]), int(data["ntptime2"])
            now = (came + went + ticks) // 2
            within = (ticks - went + came + 1) // 2
        else:
            now = int(data["time"]) * 1000 + ticks // 2
            within = 1000 + ticks // 2
    except (KeyError, TypeError, ValueError, OverflowError):
        now = within = 0
    # Two for the fractions of a millisecond, of four readings.
    return (now, max(within, 0) + 2) if port.plausible(now // 1000) else (0, 0)
