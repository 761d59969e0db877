"""services/queue.py on a board: power lost at each flash write, against the hub."""

import re

import pytest

from dynreg_tools.virtualboard.board import TORN
from tests_host.flow.conftest import PRODUCT
from tests_host.power import cuts

# Three files: the long one fits into none that is there. A boot's id tells messages apart.
MAIN = """
import os
import sys
from dynreg import Device
from dynreg.services.queue import Queue

boot = "%08x" % int.from_bytes(os.urandom(4), "big")
print("BOOT", boot)
queue = Queue(writes=0)
session = None

def put(*numbers):
    for number in numbers:
        text = boot + " %d " % number
        kept = queue.put("event", text + "x" * (4000 if number == 4 else 50), session)
        print("PUT" if kept else "REFUSED", text, "saved" if not queue.recent else "")

put(1, 2, 3, 4, 5)
session = Device().connect()
put(6)
print("WAITING", queue.waiting)
session.disconnect()
print("DROPPED", queue.dropped)
print("DONE")
"""


@pytest.fixture
def hub_options():
    return {"product_id": PRODUCT, "payloads": True}


def _received(bench, since):
    """The messages that the hub has got since so many events, without their filling."""
    topic = bench.topic("event")
    found = [event for event in bench.hub.events[since:] if event["event"] == "publish"]
    return [e["payload"]["text"].rstrip("x") for e in found if e["topic"] == topic]


# Every third cut by default, which has each of the five states.
STEPS = [
    (cuts.IN_TURN, 3),
    *(pytest.param(state, 1, marks=pytest.mark.slow) for state in TORN),
]


@pytest.mark.ci
@pytest.mark.parametrize(("torn", "step"), STEPS)
def test_no_message_is_lost_and_no_order_broken_by_a_cut(
    provisioned_board, tmp_path, record_property, torn, step
):
    provisioned_board.install({"/main.py": MAIN})

    def attempt(board, powers):
        since, said, tried, cut = len(provisioned_board.hub.events), [], [], []
        for power in [*powers, {}]:
            with board.power_on(fast_forward=1, **power) as running:
                cut.append(cuts.settle(running, "DONE"))
                said.append(running.output)
            boots = re.findall(r"(?:PUT|REFUSED|BOOT) (\w+)", said[-1])
            tried += [f"{boot} {number} " for boot in boots[:1] for number in range(1, 7)]
        where = "\n--- next boot:\n".join(said)
        assert "DROPPED 0" in said[-1], where
        assert "Traceback" not in where
        found = _received(provisioned_board, since)
        first = list(dict.fromkeys(found))  # sent once more after a cut, some of them
        kept = re.findall(r"PUT (\w+ \d )", where)
        assert [text for text in kept if text not in first] == [], where
        assert first == [text for text in tried if text in first], where
        return cut[0]

    folder = provisioned_board.board.folder
    count = cuts.every_cut(folder, tmp_path, attempt, torn, step=step)
    record_property("cuts_in", "a queue of six messages in three files, littlefs2")
    record_property("cut_points", count)
    record_property("file_system_lost", 0)
    assert 45 < count * step < 60  # the flash writes of six messages, one of them of 4 KB
