"""The relay: a pulse by a call, a state by the shadow, kept over a power cut without a network."""

import json
from pathlib import Path

APP = Path(__file__).parent / "relay"


def test_it_obeys_a_call_and_what_is_desired_and_remembers_that(virtual_board, hub):
    virtual_board.install(APP)
    name = virtual_board.name
    virtual_board.fast_forward = 1  # the waits for a broker that is away take no time
    running = virtual_board.start()
    running.wait_for("relay: starts off", 30)
    results = f"$shadow/operation/result/{hub.product_id}/{name}"
    hub.wait_for("subscribe", 30, topic=results)
    hub.services.desire(name, {"on": True})
    running.wait_for("relay: on", 10)
    assert json.loads(hub.services.call(name, '{"pulse_ms": 100}') or "") == {"on": True}
    for message in ("nonsense", '{"pulse_ms": 0}', "[]"):
        assert b"pulse_ms has 1 to 3000" in (hub.services.call(name, message) or b"")
    hub.wait_for("shadow", 10, by="device", version=2)
    assert hub.services.shadow(name).reported == {"on": True}
    hub.fault("tcp-refuse@broker")
    running.power_cycle()
    running.wait_for("relay: starts on", 10)
    hub.services.desire(name, {"on": False})  # while it is offline
    hub.clear_faults()
    running.wait_for("relay: off", 60)
    assert "Traceback" not in running.output
