"""hub.compat: what the vendor's sample takes from a desktop's Python."""

import sys

import fakes
import utime
from dynreg import port
from facades import connected

EPOCH = port.EPOCH


def _compat():
    for name in ("logging", "time", "sys", "hub.compat"):
        before = sys.modules.get(name)
        fakes.at_end(lambda name=name, before=before: _put_back(name, before))
    return __import__("hub.compat", None, None, ("Time",))


def _put_back(name, module):
    sys.modules.pop(name, None)
    if module is not None:
        sys.modules[name] = module


def test_compat_time_counts_unix_seconds():
    compat = _compat()
    fakes.Clock(unix=fakes.NOW * 1000 + 999)
    for epoch in (0, 946684800):  # a desktop's and an ESP32's
        fakes.replace(port, "EPOCH", epoch)
        time = compat.Time(_native(epoch))
        assert time.time() == fakes.NOW
        assert time.sleep == "native"
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(fakes.NOW + 0.5))
        assert text == "2027-01-02 03:04:05"
        assert time.strftime("100%% %Y%%m") == "100% 2027%m"
        assert time.mktime(time.localtime()) == fakes.NOW


def _native(epoch):
    """A time module whose seconds count from epoch, which is in Unix seconds."""
    return fakes.Namespace(
        gmtime=lambda seconds: utime.gmtime(seconds + epoch - EPOCH),
        mktime=lambda when: calendar(when) - epoch,
        sleep="native",
    )


def calendar(when):
    """Unix seconds of a time in 2027."""
    return 1798761600 + ((when[7] - 1) * 24 + when[3]) * 3600 + when[4] * 60 + when[5]


def test_compat_takes_a_coarse_float_for_now():
    compat = _compat()
    fakes.Clock()
    fakes.replace(port, "EPOCH", 0)
    time = compat.Time(_native(0))
    exact = time.gmtime(fakes.NOW)
    time.coarse = True
    assert time.gmtime(fakes.NOW + 60.0) == exact
    assert time.gmtime(fakes.NOW + 60)[4] == exact[4] + 1
    assert time.gmtime(fakes.NOW + 300.0)[4] == exact[4] + 5
    time.coarse = False
    assert time.gmtime(fakes.NOW + 60.0)[4] == exact[4] + 1


def test_compat_names_the_callback_that_runs():
    compat = _compat()
    stand_in = compat.Sys(sys)
    board = connected()
    names = []
    note = lambda *values: names.append(stand_in._getframe().f_code.co_name)  # noqa: E731
    board.hub.registerMqttCallback(note, note, note, note, note, note)
    board.say(b"1")
    board.hub.publish("a/b", "x", 0)
    board.hub.disconnect()
    assert names == ["on_message", "on_publish", "on_disconnect"]
    assert stand_in._getframe().f_code.co_name == "?"
    assert stand_in.modules is sys.modules
