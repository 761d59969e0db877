"""The measurement of real registrations, short."""

import json
import shlex
import sys

import pytest

from dynreg_tools.bench import registrations
from tests_host.commands import dynreg

pytestmark = pytest.mark.process


@pytest.mark.ci
def test_each_hub_with_each_certificate_in_one_run():
    peer = shlex.join([sys.executable, "-m", "dynreg_tools", "hub"])
    result = dynreg(
        "herd", "--registrations", "--seconds", "0.1", "--rounds", "1", "--peer", peer, "--json"
    )
    assert result.code == 0
    found = json.loads(result.out)
    assert [(one["hub"], one["certificate"]) for one in found] == [
        ("this", "rsa"), ("this", "ec"), ("peer", "rsa"), ("peer", "ec"),
    ]  # fmt: skip
    assert all(one["per_second"] > 0 for one in found)


@pytest.mark.ci
def test_a_hub_that_does_not_start_is_told():
    result = dynreg("herd", "--registrations", "--peer", "false", "--seconds", "0.1")
    assert result.code == 1
    assert result.err == "dynreg: the hub did not start: false\n"


def test_the_table():
    rows = [registrations.Result("this", "ec", 230.4, 2.06)]
    assert "| this | ec | 230 | 2.1 |\n" in registrations.table(rows, 5, 3)
