"""A short soak over each TLS, and one whose board leaks; the long one is `./dev soak`."""

import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("termios", reason="no ptys, no virtual boards")

from dynreg_tools.bench.drawing import data_of
from tests_host.soak.picture import draw, svg
from tests_host.soak.run import MAIN, Point, Result, SoakError, soak

STEPS, DISCONNECTS, EVERY = 300, 10, 100
LEAK = "        self.lost += 1\n"


@pytest.mark.parametrize("tls", ["psk", pytest.param("verified-ca", marks=pytest.mark.ci)])
def test_nothing_grows(tmp_path, tls):
    result = soak(tmp_path, tls == "psk", STEPS, DISCONNECTS, EVERY)
    assert (result.tls, result.steps) == (tls, STEPS)
    assert result.disconnects == DISCONNECTS + 1  # step 0 has one of its own
    assert [point.step for point in result.points] == [0, 100, 200, 300]
    assert result.messages >= STEPS // 10
    assert all(point.heap > 50000 for point in result.points)
    assert result.faults() == []


@pytest.mark.ci
def test_a_leak_is_found(tmp_path):
    main = MAIN.read_text()
    assert main.count(LEAK) == 1
    main = main.replace(
        LEAK, LEAK + "        session.kept = [self.lost, getattr(session, 'kept', 0)]\n"
    )
    result = soak(tmp_path, True, STEPS, DISCONNECTS, EVERY, main=main)
    (fault,) = result.faults()
    assert fault.startswith("the heap grew by ")


def test_a_board_that_fails_is_reported(tmp_path):
    with pytest.raises(SoakError, match="the board failed: ValueError"):
        soak(
            tmp_path,
            True,
            1,
            0,
            1,
            main=MAIN.read_text().replace("    soak = Soak()", "    1 < int('x')"),
        )


def test_what_differs_at_the_end_is_a_fault():
    def faults(*last):
        return Result("psk", 1, 1, 1, [Point(0, 1000, 6, 1), Point(1, *last)], 1.0).faults()

    assert faults(1256, 6, 1) == faults(744, 6, 1) == []
    assert faults(1257, 6, 1) == ["the heap grew by 257 bytes"]
    assert faults(1000, 7, 1) == ["7 descriptors instead of 6"]
    assert faults(1000, 6, 2) == ["the hub has 2 connections of one board"]


def test_the_picture_has_a_curve_for_each_run():
    points = [Point(step, 100000 + step, 6, 1) for step in range(0, 1000, 100)]
    text = svg([Result(tls, 900, 9, 1, points, 1.0) for tls in ("psk", "verified-ca")])
    curves = ET.fromstring(text).findall("{*}polyline")
    assert len(curves) == 2
    places = [
        [float(number) for number in place.split(",")] for place in curves[0].get("points").split()
    ]
    assert len(places) == len(points)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert draw(data_of(text)) == text
