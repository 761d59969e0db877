"""Every row of rows.py on real MicroPython against real sockets: the fault, and after it."""

import pytest

from dynreg_tools.sources import ROOT
from tests_host.faults.rows import ROWS, Row

# What must have been done, without a fault, before a row's own step.
_BEFORE = {
    "register": (),
    "login": ("only register",),
    "login for long": ("only register",),
    "time": ("login", "time"),  # the first may come with the login
    "subscribe": ("login",),
    "publish": ("login",),
    "session": ("only register",),
    "poll": ("flow",),
    "poll for long": ("flow",),
}


_SLACK_S = 0.5  # of real time: a busy machine wakes a board late
_PSK_FIRST = any("psk_identity" in f.read_text() for f in ROOT.glob("lib/dynreg/**/*.py"))


def _param(row):
    more = "-plain" if row.plain else ""
    return pytest.param(row, row, id=f"{row.fault}-{row.step}{more}")


@pytest.mark.parametrize(("rig", "row"), [_param(row) for row in ROWS], indirect=["rig"])
def test_fault(rig, row: Row):
    for name in _BEFORE[row.step]:
        assert rig.step(name)["code"] is None
    for spec in row.fault.split():
        rig.hub.fault(spec)
    report = rig.step(row.step)
    first = row.fault.split()[0]
    times = rig.triggered(first.split("@")[0].split(":")[0].split("*")[0])
    rig.hub.clear_faults()

    assert report["code"] == row.code, report
    assert report["seconds"] <= row.within + _SLACK_S * row.fast, report
    if row.attempts is not None:
        # A login may try TLS-PSK first, and then the certificate.
        ways = 2 if _PSK_FIRST and row.step == "login" else 1
        assert times in (row.attempts, row.attempts * ways), report
    if row.code is not None:
        assert report["retry"] == {"soon": True, "later": 900, "never": False}[row.when], report
    if row.later and row.within >= 3600:
        assert report["seconds"] >= 900, report
    if row.lost is not None:
        assert report["codes"], report
        assert report["codes"][0] == row.lost, report
    rig.check_recovered()
