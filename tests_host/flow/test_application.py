"""The application (main.py) under faults, on a whole board: APPLICATION of faults/rows.py."""

import re

import pytest

from tests_host.faults.rows import APPLICATION
from tests_host.flow.conftest import LATER, PRODUCT, report_of


@pytest.mark.parametrize("fault", APPLICATION["starts without"])
def test_the_application_starts_without_time_and_topic_and_gets_them_later(bench, fault):
    bench.boot()
    bench.hub.fault(fault)
    with bench.board.power_on(fast_forward=50) as running:
        running.wait_for("heartbeat: sent", 30)
        running.wait_for("heartbeat: sent", 30)
        assert ">>> " not in running.output
        assert "Traceback" not in running.output
        bench.hub.clear_faults()
        told = "heartbeat: sent"
        if "suback" not in fault:  # else the hub's topic is there all the same, and so is the time
            told = "PUBLISH with the time"
            assert told not in running.output
        running.wait_for(re.compile(f"(?s){told}.*heartbeat: sent"), 30)
        topic = f"{PRODUCT}/{bench.name}/control"
        bench.hub.wait_for("subscribe", topic=topic)
        assert bench.hub.publish(topic, "led on") == 1
        running.wait_for("led on", 30)
        running.write("\x03")
        running.wait_repl()
    bench.check_secrets(running.output)


@pytest.mark.parametrize("fault", APPLICATION["waits"])
def test_what_passes_takes_no_board_down_for_good(bench, fault):
    for spec in fault.split():
        bench.hub.fault(spec)
    bench.fast_forward = 20
    output = bench.boot("heartbeat: sent", 40)
    assert "Traceback" not in output
    assert report_of(output)["error"] is None
    assert [int(seconds) for _, seconds in LATER.findall(output) if int(seconds) >= 900], output


@pytest.mark.parametrize("fault", APPLICATION["goes on"])
def test_the_application_goes_on_after_a_fault(bench, fault):
    bench.boot()
    bench.hub.fault(fault)
    bench.fast_forward = 20
    output = bench.boot("heartbeat: sent", 30)
    assert bench.hub.wait_for("fault", name=fault.split("*")[0]), output
    assert "Traceback" not in output
    assert report_of(output)["error"] is None
