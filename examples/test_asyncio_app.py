"""The asyncio program: its LED blinks on, whatever the cloud takes its time for."""

import json
from pathlib import Path

import pytest

APP = Path(__file__).parent / "asyncio_app"


@pytest.fixture
def hub_options():
    return {"payloads": True}


def test_it_blinks_while_the_cloud_is_slow_and_takes_another_period(virtual_board, hub, faults):
    faults.on("mqtt-connack-late:1.5*1")
    virtual_board.install(APP)
    running = virtual_board.start()
    event = hub.wait_for("publish", 30, topic=virtual_board.topic("event"))
    assert json.loads(event["payload"]["text"])["blinks"] >= 3
    hub.wait_for("subscribe", 10, topic=virtual_board.topic("control"))
    hub.publish(virtual_board.topic("control"), "nonsense")
    running.wait_for("app: not understood", 10)
    hub.publish(virtual_board.topic("control"), '{"period_ms": 100}')
    running.wait_for("app: every 100", 10)
