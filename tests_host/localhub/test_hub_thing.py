"""The data template at the hub: reports, control that waits for the device, events, actions."""

import json
import threading

import httpx
import pytest
from hubclient import PRODUCT_ID, logged_in

from dynreg_tools.hub import HubError
from tests_host.corpus import packets

OWN = f"{PRODUCT_ID}/lamp"


class Lamp:
    """A device that speaks the data template."""

    def __init__(self, hub):
        self.raw = logged_in(hub, "lamp")
        for kind in ("property", "event", "action"):
            self.raw.send(packets.subscribe(1, f"$thing/down/{kind}/{OWN}"))
            assert self.raw.packet() == (0x90, b"\0\1\0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.socket.close()

    def send(self, kind, message):
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.raw.send(packets.publish(f"$thing/up/{kind}/{OWN}", payload))

    def received(self):
        """(kind, message) of what comes next."""
        head, body = self.raw.packet()
        assert head == 0x30
        size = 2 + (body[0] << 8 | body[1])
        return body[2:size].decode().split("/")[2], json.loads(body[size:])

    def ask(self, kind, message):
        self.send(kind, {"clientToken": "t", **message})
        found, reply = self.received()
        assert found == kind
        assert reply.pop("clientToken") == "t"
        return reply

    def nothing(self):
        """That nothing has come."""
        self.raw.send(packets.PINGREQ)
        assert self.raw.packet() == (0xD0, b"")


@pytest.fixture
def lamp(hub):
    with Lamp(hub) as lamp:
        yield lamp


@pytest.fixture
def answering(lamp):
    """answering(reply): the lamp answers the next message so; what it was is in the list."""
    seen, threads = [], []

    def start(**reply):
        def run():
            kind, message = lamp.received()
            seen.append(message)
            reply.update(method=message["method"] + "_reply", clientToken=message["clientToken"])
            lamp.send(kind, reply)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return seen

    yield start
    for thread in threads:
        thread.join()


def test_what_is_reported_is_kept_and_read(hub, lamp):
    good = {"method": "report_reply", "code": 0, "status": "success"}
    assert lamp.ask("property", {"method": "report", "params": {"a": 1, "b": "x"}}) == good
    assert lamp.ask("property", {"method": "report", "params": {"a": 2}}) == good
    assert lamp.ask("property", {"method": "get_status", "type": "report"}) == {
        "method": "get_status_reply",
        "code": 0,
        "status": "success",
        "type": "report",
        "data": {"report": {"a": 2, "b": "x"}},
    }
    info = {"method": "report_info", "params": {"fw_ver": "1.2"}}
    assert lamp.ask("property", info)["method"] == "report_info_reply"
    thing = hub.services.thing("lamp")
    assert thing.reported == {"a": 2, "b": "x"}
    assert thing.info == {"fw_ver": "1.2"}
    assert hub.wait_for("thing", method="report_info")["client_id"] == f"{PRODUCT_ID}lamp"


def test_events(hub, lamp):
    event = {"eventId": "low", "type": "alert", "params": {"volt": 1}}
    good = {"method": "event_reply", "code": 0, "status": "success"}
    assert lamp.ask("event", {"method": "event_post", **event}) == good
    assert lamp.ask("event", {"method": "events_post", "events": [event, event]}) == good
    assert hub.wait_for("thing", count=3)["id"] == "low"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("property", {"method": "report"}),
        ("property", {"method": "report", "params": []}),
        ("property", {"method": "report", "params": {"a": "x" * 8000}}),
        ("property", {"method": "report_info", "params": None}),
        ("event", {"method": "event_post"}),
        ("event", {"method": "event_post", "eventId": 7}),
        ("event", {"method": "events_post", "events": []}),
        ("event", {"method": "events_post", "events": {"a": 1}}),
        ("event", {"method": "events_post", "events": ["a"]}),
    ],
)
def test_what_is_not_valid_is_refused(hub, lamp, kind, message):
    assert lamp.ask(kind, message)["code"] != 0
    assert hub.services.thing("lamp").reported == {}


@pytest.mark.parametrize("payload", [b"", b"{", b"null", b"[]", b"\xff", b"[" * 9000, b"{}"])
def test_what_is_no_request_gets_no_answer(lamp, payload):
    for kind in ("property", "event", "action", "service", "raw"):
        lamp.send(kind, payload)
    lamp.nothing()


def test_control_is_done(hub, lamp, answering):
    seen = answering(code=0)
    done = hub.services.control("lamp", {"on": 1})
    assert (done.receivers, done.code, done.status) == (1, 0, "")
    assert seen[0]["params"] == {"on": 1}
    assert hub.services.thing("lamp").control == {}


def test_control_that_is_refused_or_not_answered_waits_for_the_device(hub, lamp, answering):
    answering(code=1, status="stuck")
    done = hub.services.control("lamp", {"on": 1})
    assert (done.code, done.status) == (1, "stuck")
    assert hub.services.control("lamp", {"level": 2}, 0.1).code is None
    lamp.received()
    answering(code=0)
    assert hub.services.control("lamp", {"fan": 3}).code == 0
    found = lamp.ask("property", {"method": "get_status"})["data"]
    assert found["control"] == {"on": 1, "level": 2}
    assert lamp.ask("property", {"method": "clear_control"})["code"] == 0
    assert "control" not in lamp.ask("property", {"method": "get_status"})["data"]


def test_an_action_and_its_response(hub, lamp, answering):
    seen = answering(code=0, response={"err": 0})
    done = hub.services.act("lamp", "blink", {"times": 3})
    assert done.response == {"err": 0}
    assert (seen[0]["actionId"], seen[0]["params"]) == ("blink", {"times": 3})


def test_a_reply_to_nothing_goes_nowhere(hub, lamp):
    for token in ("x", None, 7, ["a"]):
        lamp.send("property", {"method": "control_reply", "clientToken": token, "code": 0})
        lamp.send("action", {"method": "action_reply", "clientToken": token, "code": 0})
    lamp.nothing()


def test_what_cannot_be_controlled(hub):
    hub.add_device("lamp")
    assert hub.services.control("lamp", {"on": 1}).receivers == 0
    assert hub.services.thing("lamp").control == {"on": 1}
    with pytest.raises(HubError, match="no device 'other'"):
        hub.services.control("other", {})
    with pytest.raises(HubError, match="bytes of properties"):
        hub.services.control("lamp", {"a": "x" * 8000})
    with pytest.raises(HubError, match="payload over"):
        hub.services.act("lamp", "x", {"a": "x" * 17000})


def test_over_http(hub, lamp, answering):
    with httpx.Client(base_url=hub.control, timeout=10) as api:
        answering(code=0)
        answer = api.put("/devices/lamp/thing", json={"params": {"on": 1}}).json()
        assert answer == {"receivers": 1, "code": 0, "status": "", "response": None}
        lamp.ask("property", {"method": "report", "params": {"on": 1}})
        found = api.get("/devices/lamp/thing").json()
        assert found == {"reported": {"on": 1}, "control": {}, "info": {}}
        answering(code=0, response={"err": 0})
        path = "/devices/lamp/actions/blink"
        answer = api.post(path, json={"params": {"n": 1}, "timeout": 9}).json()
        assert answer["response"] == {"err": 0}
        assert api.post(path, json={"params": 1}).status_code == 400
        assert api.post("/devices/other/actions/x", json={"params": {}}).status_code == 404
