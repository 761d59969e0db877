"""Shadows at the hub: documents with versions that survive it, deltas, what cannot be."""

import json

import httpx
import pytest
from hubclient import PRODUCT_ID, logged_in, register

from dynreg_tools.hub import Hub, HubError
from tests_host.corpus import packets

UP = f"$shadow/operation/{PRODUCT_ID}/lamp"
DOWN = f"$shadow/operation/result/{PRODUCT_ID}/lamp"


class Lamp:
    """A device that reads and reports; ask() gives the answer without its times."""

    def __init__(self, hub, psk=None):
        self.psk = psk or register(hub, "lamp")
        self.raw = logged_in(hub, "lamp", self.psk)
        self.raw.send(packets.subscribe(1, DOWN, qos=1))
        assert self.raw.packet() == (0x90, b"\0\1\1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.socket.close()

    def ask(self, message):
        self.send(json.dumps(message).encode())
        return self.received()

    def send(self, payload):
        self.raw.send(packets.publish(UP, payload))

    def received(self):
        head, body = self.raw.packet()
        assert head in (0x30, 0x32)
        body = body[2 + (body[0] << 8 | body[1]) :]
        message = json.loads(body[2:] if head == 0x32 else body)
        assert isinstance(message.pop("timestamp"), int)
        assert message["payload"].pop("timestamp") > 1_600_000_000_000
        return message

    def nothing(self):
        """That nothing has come."""
        self.raw.send(packets.PINGREQ)
        assert self.raw.packet() == (0xD0, b"")


@pytest.fixture
def lamp(hub):
    with Lamp(hub) as lamp:
        yield lamp


def update(state, **more):
    return {"type": "update", "state": state, "clientToken": "t", **more}


def test_an_empty_shadow(lamp):
    assert lamp.ask({"type": "get", "clientToken": "t-0"}) == {
        "clientToken": "t-0",
        "payload": {"state": {"reported": {}}, "version": 0},
        "result": 0,
        "type": "get",
    }


def test_an_answer_to_a_report_has_what_is_new(lamp):
    first = lamp.ask(update({"reported": {"count": 1, "name": "x"}}))
    assert first == {
        "clientToken": "t",
        "payload": {"state": {"reported": {"count": 1, "name": "x"}}, "version": 1},
        "result": 0,
        "type": "update",
    }
    second = lamp.ask(update({"reported": {"count": 2, "name": "x"}}))
    assert second["payload"] == {"state": {"reported": {"count": 2}}, "version": 2}
    third = lamp.ask(update({"reported": {"name": None}}))
    assert third["payload"]["version"] == 3
    assert lamp.ask({"type": "get", "clientToken": "t"})["payload"]["state"] == {
        "reported": {"count": 2}
    }


def test_a_number_is_a_token_too(lamp):
    assert lamp.ask({"type": "get", "clientToken": 8480})["clientToken"] == "8480"


def test_what_is_desired_is_pushed_and_stays_until_it_is_cleared(hub, lamp):
    lamp.ask(update({"reported": {"led": 0, "fan": 3}}))
    document = hub.services.desire("lamp", {"led": 1, "fan": 3})
    assert document.delta == {"led": 1}
    pushed = lamp.received()
    assert pushed == {"payload": {"state": {"led": 1}, "version": 2}, "type": "delta"}
    found = lamp.ask({"type": "get", "clientToken": "t"})["payload"]["state"]
    assert found == {
        "reported": {"led": 0, "fan": 3},
        "desired": {"led": 1, "fan": 3},
        "delta": {"led": 1},
    }
    lamp.ask(update({"reported": {"led": 1}, "desired": None}))
    found = lamp.ask({"type": "get", "clientToken": "t"})["payload"]["state"]
    assert found == {"reported": {"led": 1, "fan": 3}}
    assert hub.services.shadow("lamp").desired is None
    lamp.nothing()


def test_a_change_without_a_difference_is_not_pushed(hub, lamp):
    lamp.ask(update({"reported": {"led": 1}}))
    hub.services.desire("lamp", {"led": 1})
    hub.services.desire("lamp", None)
    lamp.nothing()


def test_versions(hub, lamp):
    assert lamp.ask(update({"reported": {"a": 1}}, version=7))["result"] == 0x138D
    assert lamp.ask(update({"reported": {"a": 1}}, version=0))["result"] == 0
    assert lamp.ask(update({"reported": {"a": 2}}, version=1))["result"] == 0
    refused = lamp.ask(update({"reported": {"a": 3}}, version=1))
    assert refused["payload"] == {"state": {"reported": {"a": 2}}, "version": 2}
    with pytest.raises(HubError, match="the shadow has version 2, not 1"):
        hub.services.desire("lamp", {"a": 4}, 1)
    assert hub.services.desire("lamp", {"a": 4}, 2).version == 3


@pytest.mark.parametrize(
    "message",
    [
        update(None),
        update([]),
        update({"reported": 1}),
        update({"reported": []}),
        update({"other": {}}),
        update({"reported": {"x": "y" * 15500}}),
        update({"reported": {"a": 1}}, version="1"),
    ],
)
def test_what_cannot_be_changes_nothing(hub, lamp, message):
    answer = lamp.ask(message)
    assert answer["result"] != 0
    assert hub.services.shadow("lamp").version == 0


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 9000, b"{}", b'{"type":"delete"}']
)
def test_what_is_no_request_gets_no_answer(lamp, payload):
    lamp.send(payload)
    lamp.nothing()


def test_shadows_survive_the_hub_and_go_with_their_device(tmp_path):
    options = {"data": tmp_path, "product_id": PRODUCT_ID, "cert_key": "ec"}
    with Hub(**options) as hub, Lamp(hub) as lamp:
        lamp.ask(update({"reported": {"a": 1}}))
    with Hub(**options) as hub:
        with Lamp(hub, lamp.psk) as lamp:
            found = lamp.ask({"type": "get", "clientToken": "t"})["payload"]
            assert found == {"state": {"reported": {"a": 1}}, "version": 1}
        hub.delete_device("lamp")
        hub.add_device("lamp")
        assert hub.services.shadow("lamp").version == 0


def test_what_is_desired_offline_comes_when_the_device_asks(hub):
    hub.add_device("lamp", "c2VjcmV0")
    hub.services.desire("lamp", {"led": 1})
    with Lamp(hub, "c2VjcmV0") as lamp:
        lamp.nothing()
        found = lamp.ask({"type": "get", "clientToken": "t"})["payload"]["state"]
        assert found["delta"] == {"led": 1}


def test_over_http(hub, lamp):
    with httpx.Client(base_url=hub.control, timeout=10) as api:
        path = "/devices/lamp/shadow"
        found = api.put(path, json={"desired": {"led": 1}}).json()
        assert found.pop("timestamp") > 0
        assert found == {
            "reported": {},
            "desired": {"led": 1},
            "delta": {"led": 1},
            "version": 1,
        }
        assert lamp.received()["payload"]["version"] == 1
        for body, error in (
            ({"desired": {}, "version": 9}, "the shadow has version 1, not 9"),
            ({"desired": 3}, "desired must be a JSON object or null"),
            ({}, "desired must be a JSON object or null"),
        ):
            answer = api.put(path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert api.put(path, json={"desired": None}).json()["desired"] is None
        assert api.get(path).json()["version"] == 2
        assert api.get("/devices/other/shadow").status_code == 404


def test_broadcasts(hub):
    with logged_in(hub, "a") as a, logged_in(hub, "b") as b:
        for raw, name in ((a, "a"), (b, "b")):
            raw.send(packets.subscribe(1, f"$broadcast/rxd/{PRODUCT_ID}/{name}"))
            assert raw.packet() == (0x90, b"\0\1\0")
        hub.add_device("offline")
        assert hub.services.broadcast("to all") == 2
        for raw, name in ((a, "a"), (b, "b")):
            head, body = raw.packet()
            assert packets.packet(head, body) == packets.publish(
                f"$broadcast/rxd/{PRODUCT_ID}/{name}", b"to all"
            )
        with httpx.Client(base_url=hub.control, timeout=10) as api:
            assert api.post("/broadcast", json={"payload": "x"}).json() == {"receivers": 2}
            assert api.post("/broadcast", json={"payload": "x" * 16385}).status_code == 400


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_json_has_not_goes_nowhere(hub, lamp, number):
    lamp.send(b'{"type":"update","state":{"reported":{"t":%s}}}' % number.encode())
    lamp.nothing()
    assert hub.services.shadow("lamp").reported == {}
    path = f"{hub.control}/devices/lamp/shadow"
    answer = httpx.put(path, content='{"desired":{"t":' + number + "}}")
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]
