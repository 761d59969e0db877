"""Every row of rows.py on real MicroPython against real sockets: the fault, and after it.

`./dev test` tries each fault with one argument, of each service and step; `./dev long` all rows.
With other libraries: DYNREG_UMQTT=FILE DYNREG_UREQUESTS=FILE ./dev test -m '' tests_host/faults.
"""

import os
import re
from pathlib import Path

import pytest

from tests_host.faults.rows import Row, rows

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


_TRIES = 3
_SLACK_S = 0.5  # of real time: a busy machine wakes a board late


def _name(row):
    return re.split("[@:*]", row.fault)[0]


def _params():
    seen = set()
    library = os.environ.get("DYNREG_UREQUESTS")
    for row in rows(Path(library).read_text("utf-8") if library else ""):
        kind = _name(row), "@broker" in row.fault, row.step, row.plain
        slow = pytest.mark.slow if kind in seen else ()
        seen.add(kind)
        more = "-plain" if row.plain else ""
        yield pytest.param(row, row, id=f"{row.fault}-{row.step}{more}", marks=slow)


@pytest.mark.parametrize(("rig", "row"), list(_params()), indirect=["rig"])
def test_fault(rig, row: Row):
    for name in _BEFORE[row.step]:  # on a busy machine a fast clock may be too fast for it
        assert any(rig.step(name)["code"] is None for _ in range(_TRIES))
    for spec in row.fault.split():
        rig.hub.fault(spec)
    report = rig.step(row.step)
    if row.attempts:  # the hub may be a moment behind the board
        rig.hub.wait_for("fault", name=_name(row), count=row.attempts)
    times = rig.triggered(_name(row))
    rig.hub.clear_faults()

    assert report["code"] == row.code, report
    assert report["seconds"] <= row.within + _SLACK_S * row.fast, report
    if row.attempts is not None:
        assert times == row.attempts, report
    if row.code is not None:
        assert report["retry"] == {"soon": True, "later": 900, "never": False}[row.when], report
    if row.later and row.within >= 3600:
        assert report["seconds"] >= 900, report
    if row.lost is not None:
        assert report["codes"], report
        assert report["codes"][0] == row.lost, report
    rig.check_recovered()
