"""How an application is tested without a board and without an account (docs/testing.md).

pip install ".[hub]" pytest
pytest examples
"""

import json
from pathlib import Path

import pytest

APP = Path(__file__).parent / "my_app"


def test_the_heater_goes_on_below_the_target_and_off_above(on_cpython):
    """The application's own logic on CPython, with MicroPython's machine."""
    thermostat = on_cpython(APP / "thermostat.py")
    heater = thermostat.Thermostat(target=20.0)
    heater.temperature = lambda: 19.4
    assert heater.update()
    heater.temperature = lambda: 20.4  # within the hysteresis: it stays on
    assert heater.update()
    heater.temperature = lambda: 20.6
    assert not heater.update()


def test_it_registers_reports_and_takes_a_new_target(virtual_board, hub):
    """Real MicroPython on a blank board: the whole way, over TLS, to a local hub."""
    virtual_board.install(APP)
    running = virtual_board.start()
    hub.wait_for("publish", 30, topic=virtual_board.topic("event"))
    assert [device["name"] for device in hub.devices()] == [virtual_board.name]
    hub.publish(virtual_board.topic("control"), json.dumps({"target": 30}))
    running.wait_for("control: target 30.0", 10)
    hub.publish(virtual_board.topic("control"), "nonsense")
    running.wait_for("control: not understood", 10)


def test_a_board_in_the_field_does_not_register_again(provisioned_board, hub):
    provisioned_board.install(APP)
    output = provisioned_board.boot("heater: ")
    assert "register: not needed" in output
    assert sum(event["event"] == "registered" for event in hub.events) == 1


# The waits before the next tries take no time.
@pytest.mark.usefixtures("fast_clock")
@pytest.mark.parametrize("fault", ["http-page:503*2", "tcp-reset@broker*2", "mqtt-connack:3*2"])
def test_it_comes_online_after_all(virtual_board, faults, fault):
    faults.on(fault)
    virtual_board.install(APP)
    virtual_board.boot("heater: ", 60)
    assert faults.triggered(fault.partition("@")[0].partition(":")[0]) == 2


@pytest.mark.usefixtures("fast_clock")
@pytest.mark.parametrize("moment", ["login", "subscribe", "publish"])
def test_a_connection_lost_at_any_moment_comes_back(virtual_board, hub, moment):
    virtual_board.install(APP)
    running = virtual_board.start()
    hub.wait_for(moment, 30)
    hub.kick(virtual_board.name)
    again = hub.wait_for("login", 30, count=2)["conn"]
    hub.wait_for("subscribe", 30, conn=again, topic=virtual_board.topic("control"))
    hub.publish(virtual_board.topic("control"), '{"target": 30}')
    running.wait_for("control: target 30.0", 10)
