"""The sensor: each waking is a boot of its own; what found no network comes later, in order."""

import json
from pathlib import Path

import pytest

from dynreg_tools.boards.content import app_files

APP = Path(__file__).parent / "sensor"


@pytest.fixture
def hub_options():
    return {"payloads": True}


def test_readings_of_wakings_without_a_network_come_later_and_in_order(provisioned_board, hub):
    board = provisioned_board
    board.install(app_files(APP) | {"/settings.py": b"SLEEP_S = 1"})
    board.fast_forward = 1  # the waits for a Wi-Fi that is not there take no time
    topic = board.topic("event")
    running = board.start()
    hub.wait_for("publish", 30, topic=topic)
    running.wait_for("sensor: 0 waiting", 10)
    hub.set_disabled(board.name)
    running.wait_for("sensor: 1 waiting", 30)
    running.wait_for("sensor: 2 waiting", 30)
    hub.set_disabled(board.name, False)
    running.wait_for("sensor: 0 waiting", 30)
    published = [event for event in hub.events if event["event"] == "publish"]
    readings = [json.loads(e["payload"]["text"]) for e in published if e["topic"] == topic]
    assert len(readings) == 4
    assert {reading["temperature"] for reading in readings} == {
        15 + board.board.unique_id[-1] % 10
    }
    times = [reading["time"] for reading in readings]
    assert times == sorted(times)
    assert running.starts == 4
    assert "Traceback" not in running.output
