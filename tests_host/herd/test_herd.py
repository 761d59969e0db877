"""The simulated herd, small: what docs/herd.md says of the big one holds for it."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from dynreg_tools import cli
from dynreg_tools.bench import herd, herdchart

SMALL = herd.Site(boards=500, capacity=10)
ENOUGH = 2 * SMALL.boards / SMALL.capacity


@pytest.fixture(scope="module")
def alone():
    return herd.simulate(SMALL)


@pytest.fixture(scope="module")
def spread():
    return herd.simulate(SMALL, ENOUGH)


def test_all_boards_come_online(alone, spread):
    assert alone.online[-1] == spread.online[-1] == SMALL.boards


def test_nobody_is_starved(alone, spread):
    # All that the site needs at its capacity, the ceiling of the back-off twice, the outage.
    assert alone.all < 2 * SMALL.boards / SMALL.capacity + 2 * 300 + SMALL.loss_s
    assert spread.all < alone.all


def test_no_board_needs_many_times_the_tries_of_the_others(alone, spread):
    for result in (alone, spread):
        assert result.most_connects <= 2 * result.connects_per_board + 6


def test_without_a_spread_all_meet_in_the_first_second(alone):
    assert alone.peak == alone.connects[0] == SMALL.boards


def test_without_a_spread_those_refused_meet_again(alone):
    """If this fails the first wait has got jitter: then docs/herd.md wants other words."""
    assert alone.peak_later > SMALL.boards / 2


def test_a_spread_keeps_below_what_the_cloud_takes(spread):
    busy = [count for count in spread.connects if count > 2 * SMALL.capacity]
    assert not busy


def test_a_spread_makes_fewer_tries(alone, spread):
    assert spread.connects_per_board < alone.connects_per_board


def test_the_same_seed_is_the_same_run(alone):
    assert herd.simulate(SMALL) == alone


def test_another_seed_is_another_run(alone):
    assert herd.simulate(herd.Site(boards=500, capacity=10, seed=2)) != alone


def test_the_waits_are_the_librarys(monkeypatch):
    """A back-off of one minute shows: no board comes back sooner."""
    monkeypatch.setattr(herd.backoff(), "wait_ms", lambda failures, error: 60000)
    connects = herd.simulate(SMALL).connects
    assert connects[0]
    assert not any(connects[1:60])


def test_the_cloud_takes_no_more_than_its_capacity(alone):
    steps = [later - sooner for sooner, later in zip(alone.online, alone.online[1:], strict=False)]
    assert max(steps) <= SMALL.capacity + 1


def test_json(capsys):
    assert cli.main(["herd", "--boards", "50", "--capacity", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["site"]["boards"] == 50
    assert [result["spread"] for result in found["results"]] == list(herd.SPREADS)


def test_the_page_gets_the_figures_once():
    text = herd.PAGE.read_text("utf-8")
    once = herd.page(text, "| new |\n")
    assert "| new |" in once
    assert herd.page(once, "| new |\n") == once
    assert once.startswith("# The herd")
    assert "## What it says" in once


def test_the_picture_is_whole(alone, spread):
    drawn = ElementTree.fromstring(herdchart.svg(SMALL, [alone, spread]))
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 4
