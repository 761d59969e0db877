"""Reset, and the reply cut, after every byte of the exchange; one board, no reset of it between.

`./dev test` does so at every 7th byte, and at every 67th of the TLS record stream; `./dev long` at
every byte. Each attempt must end in an error that says "try again", and leave nothing that the
good attempt at the end misses.
"""

import pytest

from tests_host.faults.rows import Row

_MOST = 4096  # bytes; every exchange is shorter
_TRANSIENT = ("network.closed", "network.connect", "network.tls")
_PLAIN, _TLS = Row("", "", None, None, 0, plain=True), Row("", "", None, None, 0)
_RIGS = [
    pytest.param(_PLAIN, 7, id="plain"),
    pytest.param(_TLS, 67, id="tls"),
    pytest.param(_PLAIN, 1, id="plain-every", marks=pytest.mark.slow),
    pytest.param(_TLS, 1, id="tls-every", marks=pytest.mark.slow),
]


def _cut_until_it_works(rig, fault, step, stride):
    """Does the step with the fault after 0, stride, 2*stride … bytes; the first that works."""
    codes = {}
    for at in range(0, _MOST, stride):
        rig.hub.fault(f"{fault}:{at}")
        report = rig.step(step)
        if report["code"] is None:
            rig.hub.clear_faults()
            return at, codes
        codes.setdefault(report["code"], []).append(at)
        assert report["seconds"] < 2, (at, report)
        assert report["retry"], (at, report)
        assert report["code"] in _TRANSIENT, (at, report)
    raise AssertionError(f"{fault} never came to its end: {codes}")


@pytest.mark.parametrize("fault", ["tcp-reset", "tcp-reset-in"])
@pytest.mark.parametrize(("rig", "stride"), _RIGS, indirect=["rig"])
def test_registration(rig, stride, fault):
    length, codes = _cut_until_it_works(rig, f"{fault}@gateway", "only register", stride)
    assert length > 200
    assert codes
    rig.check_recovered()


@pytest.mark.ci
@pytest.mark.parametrize("fault", ["tcp-reset", "tcp-reset-in"])
@pytest.mark.parametrize(("rig", "stride"), _RIGS, indirect=["rig"])
def test_login_and_time(rig, stride, fault):
    assert rig.step("only register")["code"] is None
    length, codes = _cut_until_it_works(rig, f"{fault}@broker", "session", stride)
    assert length > 100
    assert codes
    rig.check_recovered()


@pytest.mark.ci
@pytest.mark.parametrize("step", ["only register", "session"])
@pytest.mark.parametrize(("rig", "stride"), _RIGS, indirect=["rig"])
def test_closed(rig, stride, step):
    if step == "session":
        assert rig.step("only register")["code"] is None
    fault = "tcp-close@gateway" if step == "only register" else "tcp-close@broker"
    length, codes = _cut_until_it_works(rig, fault, step, stride)
    assert length > 100
    assert codes
    rig.check_recovered()


@pytest.mark.ci
@pytest.mark.parametrize(("rig", "stride"), _RIGS, indirect=["rig"])
def test_truncated_reply(rig, stride):
    """The reply ends early in good order, with close_notify where there is TLS."""
    length, codes = _cut_until_it_works(rig, "http-cut", "only register", stride)
    assert length > 200
    assert codes
    rig.check_recovered()
