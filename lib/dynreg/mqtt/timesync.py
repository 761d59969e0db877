"""The cloud's time exchange (docs/protocol.md, 6): asked, answered, the clock set.

An exchange says in what interval the clock lies: half of its round trip around the middle. A
login that takes its time, or a reply held back until another one is acknowledged (Nagle), makes
the first round trip long; so poll() asks once more, for an answer that is alone on its way.
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
_TRIES = const(3)  # of poll(), to have a better one
_SLACK_MS = const(20)  # what a clock may drift in between
_TURNED_DOWN = const(1)  # in history["early"], as in connect/login.py
_SILENT = const(4)


def sync(session, ms):
    """Sets the clock by the cloud's; Unix milliseconds.

    NetworkError when no reply comes within ms; ProtocolError when it holds no time, and at once
    where the broker told none at the boot before.
    """
    early, session.early = session.early, None
    asked, session.asked = session.asked, None
    silent = session.history["early"] & _SILENT and (
        session.attempts is None or ms < _PATIENT_MS  # who was refused once may insist
    )
    session.attempts = 0
    now = None
    if early:
        now = _ask(session, min(ms, _EARLY_MS), *early)
        if now is None:
            log.warning("time: no answer to the early request")
            _remember(session, session.history["early"] | _TURNED_DOWN)
    elif asked and not silent and 0 <= port.ticks_diff(port.ticks_ms(), asked[0]) < _EARLY_MS:
        # Its reply must not pass for a later request's.
        now = _ask(session, min(ms, _EARLY_MS), None, asked[0], None)
    if now is None and silent:
        session.attempts = _TRIES
        raise ProtocolError("protocol.time", "the cloud told no time before; poll() asks again")
    if now is None:
        now = _ask(session, ms)
    if now is None:
        if ms >= _PATIENT_MS:
            _remember(session, session.history["early"] | _SILENT)
        raise NetworkError("network.timeout", "no time from the cloud after %d s" % (ms // 1000))
    return now


def ask(session):
    """Asks once more without waiting: refine() gets the answer."""
    session.attempts -= 1
    pid, data = _request(session)
    session.acks.pop(pid, None)  # a topic that is not granted brings no answer, which is enough
    session.asked = port.ticks_ms(), session.link.count  # before it goes: no later than it went
    session.send(data)


def refine(session, message, received):
    """Sets the clock by the answer to ask()'s request where that makes it better.

    received: ticks_ms when message came.
    """
    reply = _time_in(message)
    if not reply:
        return
    (sent, count), session.asked = session.asked, None
    now, within = exchange(reply, port.ticks_diff(received, sent)) or (None, 0)
    before = session.within
    if now is None:
        session.attempts = 0
        return
    now += port.ticks_diff(port.ticks_ms(), received)
    if before is not None and abs(now - port.unix_ms()) > before + within + _SLACK_MS:
        session.attempts = 0  # somebody has set it otherwise meanwhile, and knows why
        return
    # Nothing else came since: 27 bytes of the packet are neither message nor names.
    alone = session.link.count - count <= len(message) + len(session.info.owner) + 27
    if within <= _GOOD_MS or (alone and (before is None or within * 4 <= before * 5)):
        session.attempts = 0
    if before is None or within < before:
        _set(session, now, within)
        log.debug("time: right within %d ms now" % within)


def _ask(session, ms, pid=None, sent=None, arrived=None):
    """Unix milliseconds now, and the clock set; None when no reply comes within ms.

    pid, sent, arrived: of a request that is on its way, as Session.early has them.
    """
    found = []

    def callback(message):
        reply = _time_in(message)
        if reply and not found:
            found.extend((reply, port.ticks_ms()))

    begun = port.ticks_ms()
    own = sent is None
    if own:
        session.send()
        while session.link.ready(0):  # an earlier request's reply must not pass for this one's
            session.receive()
        pid, data = _request(session)
        sent = port.ticks_ms()
        session.send(data)
    topic = "$sys/operation/result/" + session.info.owner
    if pid:
        log.info("time: SUBSCRIBE %s QoS 0" % topic)
    log.info("time: PUBLISH the request%s" % (", behind the CONNECT" if pid and not own else ""))
    session.on_time = callback
    try:
        if pid:
            session.wait_suback(pid, topic)
            log.info("time: SUBACK")
            session.time_topic = True
        if not session.wait(lambda: found, ms):
            return None
    except NetworkError as error:
        if own or error.code != "network.timeout":
            raise
        return None
    finally:
        session.on_time = None
    reply, received = found
    late = 0
    if arrived is not None and port.ticks_diff(received, begun) < _FRESH_MS:
        late = port.ticks_diff(received, arrived)  # it came in between, most likely at once
        received = arrived
    now, within = exchange(reply, port.ticks_diff(received, sent)) or (None, 0)
    if now is None:
        raise ProtocolError("protocol.time", "the cloud's time reply holds no time")
    within += late
    if within > _GOOD_MS and (pid or not own):
        session.attempts = _TRIES
    now = _set(session, now + port.ticks_diff(port.ticks_ms(), received), within)
    log.info("time: PUBLISH with the time, current time: %s" % port.utc(now))
    return now


def _request(session):
    """(packet id, bytes) of a request; None for the id where the topic is ours already."""
    from .encode import ask_time

    pid = None if session.time_topic else session.next_pid()
    return pid, ask_time(pid, session.info.owner)


def _time_in(message):
    """The time reply, as a dict; None for what else comes on the topic (other services')."""
    try:
        reply = json.loads(message)
        if reply["type"] == "get" and "time" in reply:
            return reply
    except (ValueError, TypeError, KeyError, RuntimeError):
        pass
    return None


def _set(session, now, within):
    session.within = within
    if not port.set_rtc(now):
        log.warning("time: this platform has no clock to set")
    history = session.history
    if now // _DAY != history["day"]:  # earlier too: a wrong day must not stay for ever
        history["day"] = now // _DAY
        history["changed"] = True
    _remember(session, history["early"] & ~_SILENT)
    return now


def _remember(session, early):
    history = session.history
    if history["early"] != early:
        history["early"] = early
        history["changed"] = True


def exchange(data, ticks):
    """(Unix milliseconds now, how far off at most) from a time reply and the round trip.

    data: the JSON object; ticks: milliseconds from request to reply (docs/protocol.md, 6). None
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
        return None
    # Two for the fractions of a millisecond, of four readings.
    return (now, max(within, 0) + 2) if port.plausible(now // 1000) else None
