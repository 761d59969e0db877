"""The exception tree, the log, the back-off: what programs and people rely on."""

import dynreg
import fakes
from dynreg import errors, log, port
from dynreg.connect.backoff import wait_ms

SOON = errors.NetworkError("network.closed", "gone")


def test_the_tree_and_what_is_worth_another_try():
    retry = {
        errors.ConfigError: False,
        errors.StorageError: False,
        errors.NetworkError: True,
        errors.CertificateError: 900,
        errors.ProtocolError: 900,
        errors.RegistrationError: 900,
        errors.LoginError: 900,
    }
    for kind in retry:
        error = kind("some.code", "a sentence")
        assert isinstance(error, errors.DynregError)
        assert error.retry == retry[kind], kind
        assert (error.code, str(error)) == ("some.code", "a sentence")
        assert (error.cloud_code, error.request_id) == (None, None)
        assert getattr(dynreg, kind.__name__) is kind
    assert not issubclass(errors.CertificateError, errors.NetworkError)


def test_an_error_takes_the_clouds_words_and_its_own_mind():
    error = errors.RegistrationError("code", "text", True)
    error.cloud_code, error.cloud_message, error.request_id = "Cloud.Code", "no", "request-1"
    assert (error.cloud_code, error.request_id, error.retry) == ("Cloud.Code", "request-1", True)
    assert errors.RegistrationError.cloud_code is None
    assert errors.RegistrationError.retry == 900
    assert errors.NetworkError("code", "text", retry=False).retry is False


def test_log_writes_what_is_at_or_above_its_level():
    lines = fakes.log_lines()
    writers = (log.debug, log.info, log.warning, log.error)
    names = ("DEBUG", "INFO", "WARN", "ERROR")
    for least, level in enumerate((log.DEBUG, log.INFO, log.WARNING, log.ERROR)):
        log.level = level
        del lines[:]
        for write in writers:
            write("text")
        assert lines == [(name, "text") for name in names[least:]], level


def test_info_is_the_level_to_begin_with():
    assert log.level == log.INFO


def _boot():
    """A clock, the log that begins with it, and what it prints."""
    clock = fakes.Clock()
    ticks = {"ticks_ms": clock.ticks_ms, "ticks_diff": clock.ticks_diff}
    fakes.module("time", fakes.Namespace(**ticks))
    fresh = fakes.fresh("dynreg.log")
    printed = []
    fakes.replace(fresh, "print", printed.append)
    return clock, fresh, printed


def test_a_log_line_has_seconds_since_boot_level_and_step():
    clock, log, printed = _boot()
    clock.passed = 1234
    log.warning("something")
    clock.passed = 86400000
    log.info("a day later")
    assert printed == [
        "    1.234 WARN  something",
        "86400.000 INFO  a day later",
    ], printed


def test_a_log_line_still_counts_up_after_a_fortnight():
    clock, log, printed = _boot()
    for day in range(1, 15):
        clock.passed = day * 86400000
        log.info("x")
    times = [float(line.split()[0]) for line in printed]
    assert times == [day * 86400.0 for day in range(1, 15)], times


def _waits(random, count=12):
    fakes.random(random)
    return [wait_ms(failures, SOON) for failures in range(1, count + 1)]


def test_backoff_without_luck_is_never_under_five_seconds():
    assert _waits(b"\0\0\0\0") == [5000] * 12


def test_backoff_doubles_its_ceiling_up_to_five_minutes():
    ceilings = [5000, 10000, 20000, 40000, 80000, 160000] + [300000] * 6
    # What random bytes give the ceiling itself, and one that begins again at the bottom.
    for attempt, ceiling in enumerate(ceilings):
        fakes.random((ceiling - 5000).to_bytes(4, "big"))
        assert wait_ms(attempt + 1, SOON) == ceiling, attempt
        fakes.random((ceiling - 5000 + 1).to_bytes(4, "big"))
        assert wait_ms(attempt + 1, SOON) == 5000, attempt


def test_backoff_has_jitter():
    assert len({wait_ms(10, SOON) for _ in range(20)}) > 10
    for _ in range(200):
        assert 5000 <= wait_ms(10, SOON) <= 300000
    assert 5000 <= wait_ms(1000000, SOON) <= 300000


def test_what_takes_longer_to_pass_waits_15_to_60_minutes():
    for kind in (errors.CertificateError, errors.LoginError, errors.RegistrationError):
        for failures in (1, 2, 30):
            for random, wait in ((0, 900000), (2700000, 3600000), (2700001, 900000)):
                fakes.random(random.to_bytes(4, "big"))
                assert wait_ms(failures, kind("code", "no")) == wait, (kind, failures)


def test_what_a_server_asks_for_is_waited_and_spread():
    for asked, failures, least, most in ((120, 1, 120, 120), (120, 3, 120, 135), (1, 1, 5, 5)):
        error = errors.ProtocolError("code", "busy", asked)
        fakes.random(((most - least) * 1000).to_bytes(4, "big"))
        assert wait_ms(failures, error) == most * 1000
        fakes.random(bytes(4))
        assert wait_ms(failures, error) == least * 1000


def test_a_long_pause_is_cut_so_that_a_watchdog_is_fed():
    clock = fakes.Clock()
    fed = []
    fakes.replace(port, "idle", lambda: fed.append(clock.passed))
    port.pause(300000)
    assert clock.passed == 300000 and max(clock.slept) <= 500
    assert fed[:3] == [0, 500, 1000] and len(fed) == 600
    port.pause(0)
    port.pause(-5)
    assert clock.passed == 300000
