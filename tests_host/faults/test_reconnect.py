"""What the hub's own faults cannot stand for: a second client, and a hub that restarts."""

import pytest

from tests_host.corpus import packets
from tests_host.faults.rows import Row
from tests_host.localhub.hubclient import Raw, credentials

_RIG = pytest.mark.parametrize("rig", [Row("", "", None, None, 0, fast=50)], indirect=True)


@_RIG
def test_a_second_login_with_the_same_client_id(rig):
    """The second client takes the session over; the board takes it back after its back-off."""
    assert rig.step("flow")["code"] is None
    (device,) = rig.hub.devices()
    with Raw(rig.hub.mqtt) as other:
        other.send(packets.connect(*credentials(rig.hub, device["name"], device["psk"])))
        assert other.packet() == (0x20, b"\0\0")
        report = rig.step("poll")
        assert report["code"] is None
        assert report["connected"]
        assert report["codes"]
        assert report["codes"][0].startswith("network.")
        assert other.ended() == b""
    kicked = [e for e in rig.hub.events if e["event"] == "disconnect" and e["reason"] == "kicked"]
    assert len(kicked) == 2
    rig.check_recovered()


@_RIG
def test_the_broker_restarts_again_and_again(rig):
    assert rig.step("flow")["code"] is None
    for _ in range(3):
        rig.hub.fault("tcp-restart@broker:0")
        report = rig.step("poll until connected")
        if report["connected"] and not report["codes"]:  # it had not noticed yet
            report = rig.step("poll")
        assert report["code"] is None, report
        assert report["codes"], report
        more = rig.step("poll until connected")
        assert more["connected"], (report, more)
    rig.check_recovered()
