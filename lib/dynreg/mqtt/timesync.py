"""The cloud's time exchange (docs/protocol.md, 6): asked, answered, the clock set."""

import ujson as json
from micropython import const

from .. import log, port
from ..errors import NetworkError, ProtocolError

_EARLY_MS = const(3000)  # for the answer to a request that went out behind the CONNECT
_FRESH_MS = const(50)  # read within this, it had come before; then its arrival counts
_DAY = const(86400000)


def sync(session, ms):
    """Sets the clock by the cloud's; Unix milliseconds.

    NetworkError when no reply comes within ms; ProtocolError when it holds no time.
    """
    early, session.early = session.early, None
    now = early and _ask(session, min(ms, _EARLY_MS), early)
    if early and now is None:
        log.warning("time: no answer to the early request")
        session.history["early"] = 1
        session.history["changed"] = True
    if now is None:
        now = _ask(session, ms, None)
    if now is None:
        raise NetworkError("network.timeout", "no time from the cloud after %d s" % (ms // 1000))
    if not port.set_rtc(now):
        log.warning("time: this platform has no clock to set")
    log.info("time: PUBLISH with the time, current time: %s" % port.utc(now))
    if now // _DAY != session.history["day"]:  # earlier too: a wrong day must not stay for ever
        session.history["day"] = now // _DAY
        session.history["changed"] = True
    return now


def _ask(session, ms, early):
    """Unix milliseconds now; None when no reply comes within ms."""
    found = []

    def callback(message):
        try:
            reply = json.loads(message)
            # The topic carries other services' answers too.
            if reply["type"] == "get" and "time" in reply and not found:
                found.extend((reply, port.ticks_ms()))
        except (ValueError, TypeError, KeyError, RuntimeError):
            pass

    begun = port.ticks_ms()
    if early:
        pid, sent, arrived = early
    else:
        from .encode import ask_time

        session.send()
        while session.link.ready(0):  # an earlier request's reply must not pass for this one's
            session.receive()
        pid, arrived = session.next_pid(), None
        sent = session.send(ask_time(pid, session.info.owner))
    topic = "$sys/operation/result/" + session.info.owner
    log.info("time: SUBSCRIBE %s QoS 0" % topic)
    log.info("time: PUBLISH the request%s" % (", behind the CONNECT" if early else ""))
    session.on_time = callback
    try:
        session.wait_suback(pid, topic)
        log.info("time: SUBACK")
        if not session.wait(lambda: found, ms):
            return None
    except NetworkError as error:
        if not early or error.code != "network.timeout":
            raise
        return None
    finally:
        session.on_time = None
    reply, received = found
    if arrived is not None and port.ticks_diff(received, begun) < _FRESH_MS:
        received = arrived
    now = exchange(reply, port.ticks_diff(received, sent))
    if now is None:
        raise ProtocolError("protocol.time", "the cloud's time reply holds no time")
    return now + port.ticks_diff(port.ticks_ms(), received)


def exchange(data, ticks):
    """Unix milliseconds now, from a time reply and the round trip (docs/protocol.md, 6).

    data: the JSON object; ticks: milliseconds from request to reply. None where the reply
    holds no plausible time.
    """
    try:
        if "ntptime1" in data and "ntptime2" in data:
            now = (int(data["ntptime1"]) + int(data["ntptime2"]) + ticks) // 2
        else:
            now = int(data["time"]) * 1000 + ticks // 2
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return now if port.plausible(now // 1000) else None
