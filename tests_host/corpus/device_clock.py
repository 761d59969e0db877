"""Unix time on either epoch: plausible, first, exchanged, set."""

import errno
import time

import fakes
from dynreg import port
from dynreg.connect import first_clock, tls, trust
from dynreg.device import DeviceInfo
from dynreg.errors import CertificateError
from dynreg.mqtt import timesync

Y2000 = 946684800  # the epoch of esp32 and stm32, in Unix seconds
NOW = fakes.NOW


def _epoch(start):
    """A platform whose time module counts from start, its clock at NOW."""

    def gmtime(seconds):
        return time.gmtime(seconds + start)

    module = fakes.Namespace(gmtime=gmtime, time_ns=lambda: (NOW - start) * 1000000000 + 678000000)
    fakes.replace(port, "time", module)
    fakes.replace(port, "EPOCH", start)
    return module


def _both_epochs(check):
    for start in (0, Y2000):
        _epoch(start)
        check(start)
        fakes.restore()


def test_plausible_from_the_release_to_2060():
    for seconds, good in (
        (0, False),
        (Y2000, False),
        (1793491199, False),
        (1793491200, True),
        (NOW, True),
        (2840140799, True),
        (2840140800, False),
        (-1, False),
    ):
        assert port.plausible(seconds) is good, seconds


def test_unix_time_is_0_where_the_clock_is_not_set():
    for unix, seconds in ((NOW * 1000 + 999, NOW), (0, 0), (Y2000 * 1000, 0), (1 << 45, 0)):
        fakes.replace(port, "unix_ms", lambda unix=unix: unix)
        assert port.unix_time() == seconds, unix


def test_unix_time_on_both_epochs():
    def check(start):
        assert port.unix_ms() == NOW * 1000 + 678, start
        assert port.unix_time() == NOW, start
        assert port.utc(NOW * 1000 + 678) == "2027-01-02 03:04:05", start

    _both_epochs(check)


def test_the_clock_is_set_on_both_epochs():
    def check(start):
        written = []

        class RTC:
            def datetime(self, value):
                written.append(value)

        fakes.module("machine", fakes.Namespace(RTC=RTC))
        assert port.set_rtc(NOW * 1000 + 678) is True
        # 2027-01-02 was a Saturday.
        assert written == [(2027, 1, 2, 5, 3, 4, 5, 678000)], (start, written)

    _both_epochs(check)


def test_no_time_is_too_much_for_the_calendar():
    def overflow(seconds):
        raise OverflowError

    fakes.module("machine", fakes.Namespace(RTC=None))
    fakes.replace(port, "time", fakes.Namespace(gmtime=overflow))
    for value in (NOW * 1000, 1 << 62, -1 << 62):
        assert port.utc(value) == str(value)
        assert port.set_rtc(value) is False
    fakes.restore()
    assert port.utc(2145916800000) == "2038-01-01 00:00:00"


def test_a_platform_without_a_clock_to_set():
    fakes.module("machine", fakes.Namespace())
    assert port.set_rtc(NOW * 1000) is False


def test_the_epoch_is_asked_of_the_platform():
    for start, year in ((0, 1970), (Y2000, 2000)):
        names = ("sleep_ms", "ticks_add", "ticks_diff", "ticks_ms")
        stand_in = fakes.Namespace(**{name: None for name in names})
        stand_in.gmtime = lambda seconds, year=year: (year, 1, 1, 0, 0, 0, 5, 1)
        stand_in.time_ns = None
        fakes.module("time", stand_in)
        module = fakes.fresh("dynreg.port")
        assert module is not port and start == module.EPOCH
        fakes.restore()


def _first(answer, unix=None, *peers, day=0):
    """first_clock.find() where NTP gives answer: (result, fake clock, log)."""
    lines = fakes.log_lines()
    fake = fakes.Clock(unix)
    if answer is None:
        fakes.module("ntptime", None)
    else:
        fakes.ntp(answer)
    fakes.network(fake, *peers)
    info = DeviceInfo(fakes.device_info())
    return first_clock.find(tls.connect, info, day), fake, lines


def test_first_sets_the_clock_by_ntp():
    for start in (0, Y2000):
        _epoch(start)
        result, fake, lines = _first(NOW - start)
        assert (result, fake.settings) == (True, [NOW * 1000]), start
        assert lines[-1][0] == "INFO" and "2027-01-02 03:04:05" in lines[-1][1], lines
        fakes.restore()


def test_first_takes_no_nonsense_from_ntp():
    # A kiss of death read as a time is the 7th of February 2036, 06:28:16; 0 is the epoch.
    for answer in (0, 1, -2208988800, Y2000, 4102444800, 1 << 40):
        result, fake, lines = _first(answer)
        assert (result, fake.settings) == (False, []), answer
        assert lines[0][0] == "WARN" and "nonsense" in lines[0][1], lines
        fakes.restore()


def test_first_survives_an_ntp_that_fails():
    for answer in (
        OSError(errno.ETIMEDOUT),
        OSError(-2),
        ValueError("kiss of death"),
        IndexError(),
    ):
        fed = []
        fakes.replace(port, "idle", lambda fed=fed: fed.append(0))
        result, fake, lines = _first(answer)
        assert (result, fake.settings) == (False, []) and len(fed) >= 3, answer
        servers = [text for _, text in lines if text.startswith("clock: NTP from")]
        assert len(servers) == 3, lines
        fakes.restore()


def test_first_without_ntptime():
    result, fake, lines = _first(None)
    assert (result, fake.settings) == (False, [])
    assert lines[0][0] == "WARN" and "no ntptime" in lines[0][1], lines
    assert "nothing tells the time" in lines[-1][1], lines


def test_first_takes_the_next_server_and_puts_the_hosts_name_back():
    asked = []

    class Ntptime:
        host = "own.example"

        def time(self):
            asked.append(self.host)
            if len(asked) < 3:
                raise OSError(errno.ETIMEDOUT)
            return NOW

    ntptime = Ntptime()
    fake = fakes.Clock(None)
    fakes.module("ntptime", ntptime)
    assert first_clock.find(tls.connect, DeviceInfo(fakes.device_info())) is True
    assert fake.settings == [NOW * 1000]
    assert asked == ["own.example", "time1.cloud.tencent.com", "ntp.aliyun.com"]
    assert ntptime.host == "own.example"


# --- the gateway's Date -------------------------------------------------------------------------

_HEAD = b"HTTP/1.1 404 Not Found\r\nServer: x\r\n%s\r\n"


def test_first_asks_the_gateway_for_its_date_where_ntp_is_blocked():
    for name in (b"Date", b"date", b"DATE"):
        line = name + b": Sat, 02 Jan 2027 03:04:05 GMT\r\n"
        peer = fakes.Peer(_HEAD % line)
        result, fake, lines = _first(OSError(errno.ETIMEDOUT), None, peer)
        assert (result, fake.settings) == (True, [NOW * 1000])
        assert "by the gateway's Date" in lines[-1][1], lines
        host = "ap-guangzhou.gateway.tencentdevices.com"
        assert peer.segments == [b"HEAD / HTTP/1.0\r\nHost: %s\r\n\r\n" % host.encode()]
        assert peer.address == (host, 80) and peer.closed
        fakes.restore()


def test_a_date_that_is_none_leaves_the_clock_alone():
    for answer in (
        _HEAD % b"",
        _HEAD % b"Date: yesterday\r\n",
        _HEAD % b"Date: Fri, 02 Xxx 2026 03:04:05 GMT\r\n",
        _HEAD % b"Date: Sat, 02 Jan 2027 03:04 GMT\r\n",
        _HEAD % (b"Date: Sat, 02 Jan 2027 " + b":" * 1500 + b" GMT\r\n"),
        _HEAD % b"Date: Fri, 02 Jan 1999 03:04:05 GMT\r\n",
        _HEAD % b"Date: Fri, 02 Jan 2060 03:04:05 GMT\r\n",
        b"no header at all\r\n\r\n",
        b"x" * 20000,
        [(0, b"HTTP/1.1 200 OK\r\nDa"), (0, fakes.END)],
        fakes.END,
        None,
    ):
        peer = fakes.Peer(answer)
        result, fake, _ = _first(OSError(errno.ETIMEDOUT), None, peer)
        assert (result, fake.settings) == (False, []), answer
        assert peer.closed and fake.passed <= 5000
        fakes.restore()
    for fault in (OSError(errno.ECONNREFUSED), OSError(errno.EHOSTUNREACH)):
        result, fake, _ = _first(OSError(errno.ETIMEDOUT), None, fakes.Peer(fault=fault))
        assert (result, fake.settings) == (False, [])
        fakes.restore()


def test_no_source_goes_back_behind_the_last_day_that_the_cloud_told():
    today = NOW // 86400
    line = b"Date: Sat, 02 Jan 2027 03:04:05 GMT\r\n"
    for day, good in ((today, True), (today + 1, False)):
        for answer, peer in ((NOW, fakes.END), (OSError(errno.ETIMEDOUT), _HEAD % line)):
            fakes.random(b"\xff")
            result, fake, _ = _first(answer, None, fakes.Peer(peer), day=day)
            assert (result, len(fake.settings)) == (good, good), day
            fakes.restore()


def test_a_day_that_was_wrong_gives_way_where_both_kinds_of_source_agree():
    # One login to a hub whose clock was nine years ahead.
    line = b"Date: Sat, 02 Jan 2027 03:04:05 GMT\r\n"
    for answer, good in ((NOW, True), (NOW + 3600, True), (NOW + 2 * 86400, False)):
        fakes.random(b"\xff")
        result, fake, _ = _first(answer, None, fakes.Peer(_HEAD % line), day=NOW // 86400 + 3285)
        assert result is good and len(fake.settings) == good, answer
        if good:
            assert abs(fake.settings[0] - NOW * 1000) < 10000, "the Date's, a little later"
        fakes.restore()


def test_a_day_that_was_wrong_gives_way_to_one_source_now_and_then():
    line = b"Date: Sat, 02 Jan 2027 03:04:05 GMT\r\n"
    day = NOW // 86400 + 3285
    for answer, peer in ((NOW, fakes.END), (OSError(errno.ETIMEDOUT), _HEAD % line)):
        for byte in (0, 63, 64, 255):
            fakes.random(bytes([byte]))
            result, fake, _ = _first(answer, None, fakes.Peer(peer), day=day)
            assert result is (byte < 64), byte
            assert fake.settings == ([NOW * 1000] if result else []), byte
            fakes.restore()
    fakes.random(b"\0")
    for wrong in (0, Y2000, NOW * 2):  # never what cannot be at all
        result, fake, _ = _first(wrong, None, fakes.Peer(fakes.END), day=day)
        assert (result, fake.settings) == (False, []), wrong


def test_dates_over_the_years():
    for text, seconds in (
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (b"Sat, 29 Feb 2020 23:59:59 GMT", 1583020799),
        (b"Sun, 01 Mar 2020 00:00:00 GMT", 1583020800),
        (b"Tue, 31 Dec 2047 23:59:59 GMT", 2461449599),
        (b"Sun, 28 Feb 2100 12:00:00 GMT", 4107499200),
        (b"Mon, 01 Mar 2100 00:00:00 GMT", 4107542400),
    ):
        assert first_clock.http_date(text) == seconds, text


def test_exchange_takes_the_middle_of_the_round_trip():
    reply = {"type": "get", "time": 1, "ntptime1": NOW * 1000, "ntptime2": NOW * 1000 + 40}
    # (t1 + t2 + elapsed) / 2: 300 ms there and back, 40 of them in the server.
    # What is not the server's own time may have passed on one way alone.
    assert timesync.exchange(reply, 300) == (NOW * 1000 + 170, 132)


def test_exchange_is_never_surer_than_its_milliseconds():
    for ticks, served, within in ((0, 0, 2), (1, 0, 3), (2, 0, 3), (10, 11, 2), (10, 500, 2)):
        reply = {"ntptime1": NOW * 1000, "ntptime2": NOW * 1000 + served}
        assert timesync.exchange(reply, ticks)[1] == within, (ticks, served)


def test_exchange_falls_back_to_seconds():
    assert timesync.exchange({"time": NOW}, 300) == (NOW * 1000 + 150, 1152)
    assert timesync.exchange({"time": NOW, "ntptime1": NOW * 1000}, 10)[0] == NOW * 1000 + 5


def test_exchange_reads_numbers_in_strings():
    assert timesync.exchange({"time": str(NOW)}, 0)[0] == NOW * 1000
    reply = {"ntptime1": str(NOW * 1000), "ntptime2": str(NOW * 1000)}
    assert timesync.exchange(reply, 2)[0] == NOW * 1000 + 1


def test_exchange_takes_no_nonsense():
    for reply in (
        {},
        {"time": None},
        {"time": "soon"},
        {"time": []},
        {"time": {}},
        {"time": ""},
        {"time": 0},
        {"time": -NOW},
        {"time": 1626361218},  # years ago
        {"time": 2840140800},  # years ahead
        {"time": NOW * 1000},  # milliseconds where seconds belong
        {"ntptime1": NOW, "ntptime2": NOW},  # and the other way round
        {"ntptime1": None, "ntptime2": NOW * 1000},
    ):
        assert timesync.exchange(reply, 10) == (0, 0), reply


def test_exchange_takes_no_endless_number():
    # JSON's 1e999; int() of it is an OverflowError.
    assert timesync.exchange({"time": float("inf")}, 10) == (0, 0)
    assert timesync.exchange({"ntptime1": float("inf"), "ntptime2": 1}, 10) == (0, 0)


# --- a clock that a certificate speaks against --------------------------------------------------


def _judged(faults, unix=NOW * 1000, ntp=None, day=0):
    """tls.gateway() where TLS that fails with these codes in turn: (result, clock, calls)."""
    fake = fakes.Clock(unix)
    fakes.network(fake, fakes.Peer(), fakes.Peer())
    fakes.ntp(ntp or OSError(errno.ETIMEDOUT))
    calls = []

    def handshake(*_):
        calls.append(fake.unix_ms())
        code = faults.pop(0) if faults else None
        if code:
            raise CertificateError(code, "no")
        return "link"

    fakes.replace(tls, "handshake", handshake)
    fakes.replace(trust, "context", lambda *certificates: "a context")
    info = DeviceInfo(fakes.device_info())
    return lambda: tls.gateway(info, day, 5000).stream, fake, calls


def test_a_wrong_time_from_ntp_is_put_right_when_a_certificate_speaks_against_it():
    judged, fake, calls = _judged(
        ["certificate.date"], 2085978496000, NOW
    )  # 2036, a kiss of death
    assert judged() == "link"
    assert calls == [2085978496000, NOW * 1000] and fake.settings == [NOW * 1000]


def test_a_certificate_that_is_really_expired_is_refused_at_once():
    judged, fake, calls = _judged(["certificate.date"], ntp=NOW + 3600)
    fakes.raises(CertificateError, judged, code="certificate.date", retry=900)
    assert len(calls) == 1 and fake.settings == []


def test_no_time_source_brings_an_expired_certificate_back_to_life():
    # The cloud told a day: nothing before it is believed at once.
    fakes.random(b"\xff")
    judged, fake, calls = _judged(["certificate.date"], ntp=NOW - 86400 * 30, day=NOW // 86400)
    fakes.raises(CertificateError, judged, code="certificate.date")
    assert len(calls) == 1 and fake.settings == []


def test_another_fault_of_the_certificate_is_not_the_clocks():
    judged, fake, calls = _judged(["certificate"], ntp=NOW + 86400 * 30)
    fakes.raises(CertificateError, judged, code="certificate")
    assert len(calls) == 1 and fake.settings == []


def test_a_certificate_refused_by_either_time_is_refused():
    judged, _, calls = _judged(["certificate.date"] * 2, ntp=NOW + 86400 * 30)
    fakes.raises(CertificateError, judged, code="certificate.date")
    assert len(calls) == 2
