"""A first idea of the time, good enough to judge certificates: NTP, else the gateway's own Date.

A hint only: the time that counts comes from the cloud once the login stands. None of these
sources proves who it is, so nothing before the day that the cloud told last is believed; unless
both kinds agree, or now and then one alone: a day that was wrong must not lock a board out.
"""

from micropython import const

from .. import log, port
from ..errors import DynregError

_SERVERS = "time1.cloud.tencent.com", "ntp.aliyun.com"  # after ntptime's own
_MONTHS = const(b"JanFebMarAprMayJunJulAugSepOctNovDec")
_DATE_MS = const(5000)
_PERHAPS = const(64)  # of 256: how often one source alone is believed against the last known day


def find(connect, info, day=0, but=0):
    """Sets the real-time clock from the first source that answers plausibly; whether one did.

    connect: tls.connect(). day: the last one known to have been, in days since 1970. but: Unix
    seconds that are not to be found again, a day more or less, since a certificate's dates speak
    against them.
    """
    early = 0  # what another kind told, before that day
    for name, source in (("NTP", _ntp), ("the gateway's Date", _date)):
        told = early
        for seconds in source(connect, info):
            good = port.plausible(seconds)
            if good and abs(seconds - but) < 86400:
                continue
            if good and (seconds >= day * 86400 or abs(seconds - told) < 86400):
                return _set(seconds, name)
            log.warning("clock: %s answers nonsense (%d)" % (name, seconds))
            if good:
                early = seconds
    if early and port.random_bytes(1)[0] < _PERHAPS:
        return _set(early, "one source alone")
    log.warning("clock: nothing tells %s time" % ("another" if but else "the"))
    return False


def _set(seconds, name):
    port.set_rtc(seconds * 1000)
    log.info("clock: %s UTC by %s, until the cloud says better" % (port.utc(seconds * 1000), name))
    return True


def _ntp(*_):
    try:
        import ntptime
    except ImportError:
        log.warning("clock: no ntptime on this platform")
        return
    own = getattr(ntptime, "host", None)
    for server in (own,) + _SERVERS:
        if server:
            ntptime.host = server
        seconds = None
        port.idle()
        try:
            seconds = ntptime.time() + port.EPOCH
        except (OSError, ValueError, IndexError) as error:
            log.warning("clock: NTP from %s: %r" % (server, error))
        finally:
            ntptime.host = own
        if seconds is not None:
            yield seconds


def _date(connect, info):
    seconds = link = None
    try:
        link = connect(info.date.host, info.date.port, None, _DATE_MS, 2048)
        link.write("HEAD / HTTP/1.0\r\nHost: %s\r\n\r\n" % info.date.host)
        line = b"-"
        while seconds is None and line != b"\r\n":
            line = link.readline()
            if line[:6].lower() == b"date: ":
                seconds = http_date(line[6:])
    except (DynregError, ValueError) as error:
        log.warning("clock: no Date from %s: %r" % (info.date, error))
    finally:
        if link:
            link.drop()
    if seconds is not None:
        yield seconds


def http_date(text):
    """Unix seconds of b"Tue, 24 Nov 2026 09:22:08 GMT" (RFC 9110, 5.6.7); ValueError."""
    _, day, month, year, time = text.split(None, 5)[:5]
    hour, minute, second = (int(part) for part in time.split(b":", 3))
    month = _MONTHS.find(month) // 3 + 1
    if not month:
        raise ValueError(text)
    # Days since 1970-01-01 in a calendar whose year begins with March.
    years = int(year) - (month < 3)
    days = years * 365 + years // 4 - years // 100 + years // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + int(day) - 719469
    return ((days * 24 + hour) * 60 + minute) * 60 + second
