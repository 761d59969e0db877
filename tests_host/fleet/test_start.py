"""docs/start.md without a board: its commands, word for word, on a hub and a virtual board."""

import shlex

import pytest

from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard import Board
from tests_host import pages
from tests_host.commands import dynreg

PAGE = ROOT / "docs/start.md"
PASSWORD = "its password"


def port(url):
    return url.rpartition(":")[2]


def commands(hub, heading):
    """The page's dynreg commands below a heading, for this hub in place of the page's."""
    there = {
        "ABCDEFGHIJ": hub.product_id,
        ":8441": f":{port(hub.https)}",
        ":8443": f":{port(hub.mqtts)}",
        ":8444": f":{hub.ntp[1]}",
        "hub/ca.der": str(hub.ca_der),
    }
    text = "\n".join(pages.lines(PAGE, heading))
    for old, new in there.items():
        text = text.replace(old, new)
    for line in text.splitlines():
        program, *words = shlex.split(line, comments=True)
        if program == "dynreg" and words[0] not in ("hub", "repl"):
            yield words


@pytest.mark.ci
def test_a_virtual_board_by_the_page(tmp_path, hub):
    answers = {
        "DYNREG_VIRTUAL": ".",
        "DYNREG_PRODUCT_SECRET": hub.product_secret,
        "DYNREG_WIFI_PASSWORD": PASSWORD,
        "DYNREG_DEVICE_NAME": "esp32-{mac}",
    }

    def run(words):
        more = ["--seconds", "1"] if words[0] == "watch" else []
        result = dynreg(*words, *more, cwd=tmp_path, **answers)
        assert result.code == 0, (words, result)
        return result.out

    new, power, *steps = commands(hub, "Without a board")
    run(new)
    assert power[:2] == ["board", "run"]
    with Board(tmp_path / power[2]).power_on() as running:
        running.wait_repl()
        for words in steps:
            run(words)
        [device] = hub.devices()
        seen = {words[0]: run(words) for words in commands(hub, "When it does not work")}
        assert set(seen) == {"ports", "status", "doctor"}
        for command in ("ports", "status"):
            assert device["name"] in seen[command]
        assert "2 of 2 places good" in seen["doctor"]
