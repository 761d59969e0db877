"""The HTTP interface of a running hub, path by path (docs/hub.md)."""

import json
import threading
from datetime import datetime

import httpx
import pytest
import requests
from hubclient import PRODUCT_ID, Raw, credentials, logged_in, post, register
from hubevents import stream, until

from dynreg_tools.hub import Hub, HubError
from tests_host.corpus import packets


@pytest.fixture
def api(hub):
    with httpx.Client(base_url=hub.control, timeout=10) as client:
        yield client


KEPT = 0xC0  # flags of a CONNECT without clean session


def subscribed(hub, name="lamp", topic="control", psk=None):
    raw = logged_in(hub, name, psk)
    raw.send(packets.subscribe(1, f"{PRODUCT_ID}/{name}/{topic}"))
    assert raw.packet() == (0x90, b"\0\1\0")
    return raw


def test_the_product_without_its_secret(hub, api):
    answer = api.get("/product")
    about = answer.json()
    addresses = about.pop("addresses")
    assert about == {
        "product_id": PRODUCT_ID, "auth_mode": "key", "register_type": 2, "register_limit": 1000,
        "psk": hub.psk, "version": about["version"],
    }  # fmt: skip
    assert addresses == {
        "http": hub.http, "https": hub.https, "mqtt": hub.mqtt, "mqtts": hub.mqtts,
        "ntp": "{}:{}".format(*hub.ntp), "dns": "{}:{}".format(*hub.dns),
    }  # fmt: skip
    assert hub.product_secret not in answer.text


def test_the_switches_of_registration(hub, api):
    assert api.put("/product", json={"register_type": 0}).json()["register_type"] == 0
    assert post(hub)["Error"]["Code"] == "UnauthorizedOperation.RegisterOff"
    both = {"register_type": 2, "register_limit": 0}
    assert api.put("/product", json=both).json()["register_limit"] == 0
    assert post(hub)["Error"]["Code"] == "LimitExceeded.RegisterLimit"
    events = [event for event in hub.events if event["event"] == "product"]
    assert [(e["register_type"], e["register_limit"]) for e in events] == [(0, 1000), (2, 0)]


def test_a_devices_life(hub, api):
    assert api.post("/devices", json={"names": ["lamp", "b", "lamp"]}).json() == {
        "created": ["lamp", "b"],
        "existing": [],
    }
    assert api.post("/devices", json={"names": ["b", "c"]}).json() == {
        "created": ["c"],
        "existing": ["b"],
    }
    names = [row["name"] for row in api.get("/devices").json()["devices"]]
    assert names == ["b", "c", "lamp"]
    fresh = api.get("/devices/lamp").json()
    created = datetime.fromisoformat(fresh.pop("created"))
    assert abs((datetime.now(created.tzinfo) - created).total_seconds()) < 60
    nothing_yet = {
        "name": "lamp", "mode": "key", "registered": False, "activated": False,
        "disabled": False, "online": False, "tls": None, "last_seen": None, "fingerprint": None,
        "automatic": False, "subscriptions": [],
    }  # fmt: skip
    assert fresh == nothing_yet
    with subscribed(hub):
        online = api.get("/devices/lamp").json()
        seen = online.pop("last_seen")
        assert online.pop("created")
        online["last_seen"] = None
        assert online == nothing_yet | {
            "registered": True, "activated": True, "online": True, "tls": "none",
            "subscriptions": [f"{PRODUCT_ID}/lamp/control"],
        }  # fmt: skip
    hub.wait_for("disconnect")
    offline = api.get("/devices/lamp").json()
    assert (offline["online"], offline["tls"], offline["subscriptions"]) == (False, None, [])
    assert offline["last_seen"] >= seen
    assert api.delete("/devices/lamp").json() == {"deleted": "lamp"}
    assert api.delete("/devices/lamp").status_code == 404
    assert hub.wait_for("deleted", device_name="lamp")
    assert register(hub, "lamp")


def test_one_bad_name_and_none_is_made(hub, api):
    reply = api.post("/devices", json={"names": ["good", "not good"]})
    assert reply.status_code == 400
    assert "'not good'" in reply.json()["error"]
    assert hub.devices() == []


def test_a_certificate_devices_fingerprint_and_no_key_devices(start_hub):
    hub = start_hub(auth_mode="cert", device_key="ec")
    post(hub, "lamp")
    [row] = requests.get(hub.control + "/devices", timeout=10).json()["devices"]
    assert row["fingerprint"] == hub.devices()[0]["fingerprint"]
    assert len(row["fingerprint"]) == 64


def test_no_secret_in_any_answer(hub, api):
    psk = register(hub, "lamp")
    answers = [api.get(path).text for path in ("/product", "/devices", "/devices/lamp", "/faults")]
    for secret in (psk, hub.product_secret):
        assert not [text for text in answers if secret in text]


def test_kick(hub, api):
    with logged_in(hub, "lamp") as raw:
        assert api.post("/devices/lamp/kick").json() == {"kicked": True}
        assert raw.ended() == b""
    assert hub.wait_for("disconnect")["reason"] == "kicked"
    assert api.post("/devices/lamp/kick").json() == {"kicked": False}
    assert api.post("/devices/nobody/kick").status_code == 404


def test_a_disabled_device_is_refused_everywhere_until_enabled(hub, api):
    psk = register(hub, "lamp")
    with logged_in(hub, "lamp", psk) as raw:
        assert api.put("/devices/lamp", json={"disabled": True}).json()["disabled"] is True
        assert raw.ended() == b""
    with Raw(hub.mqtt) as raw:
        raw.send(packets.connect(*credentials(hub, "lamp", psk)))
        assert raw.packet() == (0x20, b"\0\5")
    assert hub.wait_for("login_refused")["reason"] == "the device is disabled"
    assert post(hub, "lamp")["Error"]["Code"] == "UnauthorizedOperation.DeviceDisabled"
    assert api.put("/devices/lamp", json={"disabled": True}).json()["disabled"] is True
    assert api.put("/devices/lamp", json={"disabled": False}).json()["disabled"] is False
    logged_in(hub, "lamp", psk).socket.close()
    switched = [e["event"] for e in hub.events if e["event"] in ("disabled", "enabled")]
    assert switched == ["disabled", "enabled"]


def test_disabled_survives_a_restart(start_hub, tmp_path):
    options = {"data": tmp_path / "kept", "product_secret": "x" * 16, "cert_key": "ec"}
    with Hub(**options) as first:
        first.add_device("lamp")
        first.set_disabled("lamp")
    with Hub(**options) as second:
        assert second.devices()[0]["disabled"] is True
        second.set_disabled("lamp", False)
        assert second.devices()[0]["disabled"] is False
        with pytest.raises(HubError, match="no device 'other'"):
            second.set_disabled("other")


@pytest.mark.parametrize(
    ("sent", "payload"),
    [
        ({"payload": '{"led":1}'}, b'{"led":1}'),
        ({"payload": "höher"}, "höher".encode()),
        ({"payload_hex": "00fF"}, b"\0\xff"),
        ({"payload": ""}, b""),
    ],
)
@pytest.mark.parametrize("topic", ["control", "{product}/{device}/control"])
def test_a_message(hub, api, topic, sent, payload):
    with subscribed(hub) as raw:
        answer = api.post("/devices/lamp/messages", json={"topic": topic, "qos": 1, **sent})
        assert answer.json() == {"topic": f"{PRODUCT_ID}/lamp/control", "receivers": 1}
        assert raw.packet() == (0x30, packets.text(f"{PRODUCT_ID}/lamp/control") + payload)
    event = hub.wait_for("delivered")
    assert {key: event[key] for key in ("client_id", "topic", "qos", "size")} == {
        "client_id": f"{PRODUCT_ID}lamp",
        "topic": f"{PRODUCT_ID}/lamp/control",
        "qos": 0,  # as it was granted
        "size": len(payload),
    }
    assert "payload" not in event


def test_a_message_by_the_python_interface(hub):
    with subscribed(hub) as raw:
        assert hub.send("lamp", "control", "on") == 1
        assert raw.packet() == (0x30, packets.text(f"{PRODUCT_ID}/lamp/control") + b"on")
    with pytest.raises(HubError, match="no device 'other'"):
        hub.send("other", "control", "on")


def test_a_message_is_kept_for_a_device_that_comes_back(hub, api):
    topic = f"{PRODUCT_ID}/lamp/control"
    psk = register(hub, "lamp")
    with logged_in(hub, "lamp", psk, flags=KEPT) as raw:
        raw.send(packets.subscribe(1, topic, qos=1))
        assert raw.packet() == (0x90, b"\0\1\1")
    hub.wait_for("disconnect")
    row = api.get("/devices/lamp").json()
    assert (row["online"], row["subscriptions"]) == (False, [topic])
    body = {"topic": "control", "payload": "on", "qos": 1}
    assert api.post("/devices/lamp/messages", json=body).json()["receivers"] == 1
    assert hub.wait_for("kept")["size"] == 2
    with Raw(hub.mqtt) as raw:
        raw.send(packets.connect(*credentials(hub, "lamp", psk), flags=KEPT))
        assert raw.packet() == (0x20, b"\1\0")
        assert raw.packet()[1].endswith(b"on")
        assert hub.wait_for("delivered")["qos"] == 1


def test_a_message_to_nobody(hub, api):
    hub.add_device("lamp")
    body = {"topic": "$broadcast/rxd/{product}/{device}", "payload": "x"}
    answer = api.post("/devices/lamp/messages", json=body).json()
    assert answer == {"topic": f"$broadcast/rxd/{PRODUCT_ID}/lamp", "receivers": 0}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PUT", "/product", b"{", 400, "not JSON"),
        ("PUT", "/product", b"[" * 60000, 400, "not JSON"),
        ("PUT", "/product", b"[]", 400, "not a JSON object"),
        ("PUT", "/product", b"\xff\xfe", 400, "not JSON"),
        ("PUT", "/product", {"register_type": 3}, 400, "register_type must be 0 to 2"),
        ("PUT", "/product", {"register_type": True}, 400, "register_type must be 0 to 2"),
        ("PUT", "/product", {"register_limit": 1e3}, 400, "register_limit must be"),
        ("PUT", "/product", {"register_limit": 10**30}, 400, "register_limit must be"),
        ("PUT", "/product", {"product_secret": "x"}, 400, "unknown 'product_secret'"),
        ("PUT", "/devices/lamp", {"disabled": 1}, 400, "must be true or false"),
        ("PUT", "/devices/lamp", {}, 400, "must be true or false"),
        ("PUT", "/devices/nobody", {"disabled": True}, 404, "no device 'nobody'"),
        ("GET", "/devices/%00%ff%2f", None, 404, "there is no"),
        ("POST", "/devices", {"names": "lamp"}, 400, "must be a list"),
        ("POST", "/devices", {"names": [1]}, 400, "must be text"),
        ("POST", "/devices", b'{"names":["\\ud800"]}', 400, "surrogate"),
        ("POST", "/devices/nobody/messages", {"topic": "a", "payload": ""}, 404, "no device"),
        ("POST", "/devices/lamp/messages", {"topic": "a"}, 400, "either payload or"),
        ("POST", "/devices/lamp/messages", {"payload": ""}, 400, "topic must be text"),
        ("POST", "/devices/lamp/messages", {"topic": "", "payload": ""}, 400, "topic is empty"),
        ("POST", "/devices/lamp/messages", {"topic": "a/#", "payload": ""}, 400, "wildcard"),
        ("POST", "/devices/lamp/messages", {"topic": "a\0", "payload": ""}, 400, "NUL"),
        ("POST", "/devices/lamp/messages", {"topic": "a" * 300, "payload": ""}, 400, "255"),
        ("POST", "/devices/lamp/messages", {"topic": "/" * 11, "payload": ""}, 400, "slashes"),
        ("POST", "/devices/lamp/messages", {"topic": "a", "payload": "x" * 16385}, 400, "16384"),
        ("POST", "/devices/lamp/messages", {"topic": "a", "payload_hex": "0"}, 400, "hex"),
        ("POST", "/devices/lamp/messages", {"topic": "a", "payload": 1}, 400, "must be text"),
        (
            "POST",
            "/devices/lamp/messages",
            b'{"topic":"a","payload":"\\udc00"}',
            400,
            "surrogate",
        ),
        ("POST", "/devices/lamp/messages", {"topic": "a", "payload": "", "qos": 2}, 400, "qos"),
        ("POST", "/devices/lamp/messages", b"x" * 70000, 413, "over 65536 bytes"),
        ("POST", "/devices/lamp/messages", b"x" * 2_000_000, 413, "over 65536 bytes"),
        ("GET", "/events?after=-1", None, 400, "number of an event"),
        ("GET", "/events?after=" + "9" * 5000, None, 400, "number of an event"),
        ("PUT", "/faults/http-page?times=" + "9" * 5000, None, 400, ""),
        ("PUT", "/faults/http-page?arg=" + "9" * 5000, None, 400, ""),
        ("PUT", "/faults/tcp-drip?arg=" + "9" * 400, None, 400, ""),
        ("PUT", "/faults/%0a@*:", None, 400, ""),
        ("DELETE", "/faults/%ed%a0%80", None, 400, ""),
        ("GET", "/../../etc/passwd", None, 404, "there is no"),
        ("GET", "/app.py", None, 404, "there is no"),
        ("PATCH", "/product", None, 405, "GET, HEAD, PUT only"),
    ],
)
def test_what_cannot_be_done(hub, api, method, path, body, status, words):
    hub.add_device("lamp")
    content = body if isinstance(body, bytes | None) else json.dumps(body)
    reply = api.request(method, path, content=content)
    assert words in reply.json()["error"]
    assert reply.status_code == status


def test_events_by_number_then_live(hub, api):
    api.post("/devices", json={"names": ["a", "b"]})
    with stream(hub, after=0) as events:
        assert [n for n, e in until(events, "precreated", device_name="b")] == [1, 2]
        threading.Timer(0.1, api.delete, ["/devices/a"]).start()
        [(number, event)] = until(events, "deleted")
        assert number == 3
        assert event in hub.events
    with stream(hub, after=2) as events:
        assert until(events, "deleted")[0][0] == 3
    with stream(hub, after=99) as events:  # of a hub that ran before
        assert len(until(events, "deleted")) == 3


def test_without_a_number_only_what_is_to_come(hub, api):
    api.post("/devices", json={"names": ["a"]})
    with stream(hub) as events:
        api.post("/devices", json={"names": ["b"]})
        assert until(events, "precreated")[0][1]["device_name"] == "b"


def test_the_last_thousand_events_are_kept(hub, api):
    names = [f"d{i}" for i in range(1100)]
    api.post("/devices", json={"names": names})
    with stream(hub, after=0) as events:
        numbers = [number for number, _ in until(events, "precreated", device_name="d1099")]
    assert numbers == list(range(101, 1101))


def test_events_say_what_messages_hold(hub):
    with stream(hub) as events, subscribed(hub) as raw:
        raw.send(packets.publish(f"{PRODUCT_ID}/lamp/event", b'{"a":1}'))
        [*_, (_, event)] = until(events, "publish")
        assert event["payload"] == {"text": '{"a":1}'}
        hub.send("lamp", "control", b"\0\xff")
        [*_, (_, event)] = until(events, "delivered")
        assert event["payload"] == {"hex": "00ff"}
        hub.send("lamp", "control", "\x1b[31m")
        [*_, (_, event)] = until(events, "delivered")
        assert event["payload"] == {"hex": "1b5b33316d"}


def test_payloads_for_the_listener(tmp_path):
    seen = []
    options = {"product_id": PRODUCT_ID, "cert_key": "ec", "payloads": True, "record": False}
    with Hub(tmp_path, on_event=seen.append, **options) as hub, subscribed(hub) as raw:
        hub.send("lamp", "control", "on")
        assert raw.packet()
    assert [event["payload"] for event in seen if "payload" in event] == [{"text": "on"}]


def test_a_fault_of_every_port_does_not_reach_this_one(hub, api):
    for name in ("tcp-refuse", "tcp-reset", "tcp-silent"):
        assert api.put(f"/faults/{name}").json()["on"]["name"] == name
    with httpx.Client(base_url=hub.control, timeout=10) as another:
        assert len(another.get("/faults").json()["active"]) == 3
        assert another.delete("/faults").json() == {"off": 3}


def test_a_hub_with_open_streams_stops_at_once(tmp_path):
    threads = threading.active_count()
    with Hub(tmp_path, cert_key="ec") as hub:
        streams = [
            requests.get(hub.control + "/events", stream=True, timeout=10) for _ in range(20)
        ]
    for one in streams:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            one.content  # noqa: B018
        one.close()
    assert threading.active_count() == threads
