"""Joining Wi-Fi: a deadline, errors for a person, and never the password."""

import canaries
import fakes
from dynreg.connect import wifi
from dynreg.errors import NetworkError


class _Wlan:
    """network.WLAN(STA_IF): connected `after` ms from connect(); never for None.

    status: what status() says meanwhile; 1001 is CONNECTING, 201 NO_AP_FOUND. let_in: whether it
    is associated as soon as it has asked, however long its address takes.
    """

    def __init__(self, clock, after=0, connected=False, fault=None, status=1001, let_in=False):
        self.calls = []
        self._clock = clock
        self._after = after
        self._at = clock.passed if connected else None
        self._fault = fault
        self._status = status
        self._let_in = let_in
        self._asked = False

    def isconnected(self):
        return self._at is not None and self._clock.passed >= self._at

    def active(self, on):
        self.calls.append(("active", on))

    def disconnect(self):
        self.calls.append(("disconnect",))
        self._at, self._asked = None, False
        if len(self.calls) < 3:
            raise OSError("Wifi Not Connected")

    def status(self, what=None):
        if what == "rssi":
            if self._let_in and self._asked:
                return -60
            raise OSError("Wifi Not Connected")
        return self._status

    def connect(self, ssid, password):
        self.calls.append(("connect", ssid, password == canaries.WIFI_PASSWORD))
        if self._fault:
            raise self._fault
        self._asked = True
        if self._after is not None:
            self._at = self._clock.passed + self._after

    def ifconfig(self):
        return ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")


def _board(**wlan):
    clock = fakes.Clock()
    one = _Wlan(clock, **wlan)
    fakes.module("network", fakes.Namespace(STA_IF=0, WLAN=lambda interface: one))
    return clock, one, fakes.log_lines()


def _join(ms=15000):
    return wifi.join("bench", canaries.WIFI_PASSWORD, ms)


def test_joining():
    clock, wlan, log = _board(after=2000)
    assert _join() is True
    assert clock.passed == 2000
    assert wlan.calls[-1] == ("connect", "bench", True)
    assert ("disconnect",) in wlan.calls and ("active", True) in wlan.calls
    assert "192.0.2.7" in log[-1][1]


def test_joined_already():
    _, wlan, _ = _board(connected=True)
    assert _join() is True and wlan.calls == []


def test_no_wifi_within_the_deadline():
    for ms, status, says in (
        (15000, 1001, "password right?"),
        (1000, 1001, "password right?"),
        (1000, 201, "not in reach"),
    ):
        clock, wlan, _ = _board(after=None, status=status)
        fakes.raises(
            NetworkError, _join, ms, code="network.wifi", says=('"bench"', says), retry=True
        )
        assert ms <= clock.passed <= ms + 50
        assert wlan.calls[-1] == ("disconnect",)
        fakes.restore()


def test_an_address_that_takes_longer_comes_with_no_disconnect_in_between():
    for after in (16000, 30000, 59900):
        clock, wlan, _ = _board(after=after, let_in=True)
        assert _join() is True
        assert after <= clock.passed <= after + 50
        assert [call[0] for call in wlan.calls].count("connect") == 1
        assert [call[0] for call in wlan.calls].count("disconnect") == 1  # before connect()
        fakes.restore()


def test_an_address_that_never_comes_is_told():
    clock, wlan, _ = _board(after=None, let_in=True)
    says = ('"bench"', "after 60 s", "no address", "DHCP")
    fakes.raises(NetworkError, _join, code="network.wifi", says=says, retry=True)
    assert 60000 <= clock.passed <= 60050
    assert wlan.calls[-1] == ("disconnect",)


def test_wifi_that_does_not_start():
    _board(fault=OSError("Wifi Internal Error"))
    fakes.raises(NetworkError, _join, code="network.wifi", retry=True)


def test_a_platform_without_wifi():
    fakes.module("network", None)
    assert _join() is False
