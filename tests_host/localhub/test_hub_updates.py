"""Updates over the air and remote configuration at the hub, with a client that is not ours."""

import hashlib
import json

import httpx
import pytest
from hubclient import PRODUCT_ID, logged_in

from dynreg_tools.hub import Hub, HubError
from dynreg_tools.hub.addresses import urls
from tests_host.corpus import packets

FILE = bytes(range(256)) * 100
MD5 = hashlib.md5(FILE).hexdigest()
OWN = f"{PRODUCT_ID}/lamp"


@pytest.fixture
def api(hub):
    with httpx.Client(base_url=hub.control, timeout=10) as client:
        yield client


class Lamp:
    """A device that has subscribed to what the cloud says of its updates or configuration."""

    def __init__(self, hub, topic):
        self.raw = logged_in(hub, "lamp")
        self.raw.send(packets.subscribe(1, f"{topic}/{OWN}", qos=1))
        assert self.raw.packet() == (0x90, b"\0\1\1")

    def say(self, topic, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.raw.send(packets.publish(f"{topic}/{OWN}", data))

    def heard(self):
        """The next message; a QoS 1 one is acknowledged."""
        head, body = self.raw.packet()
        size = body[0] << 8 | body[1]
        body = body[2 + size :]
        if head & 6:
            self.raw.send(packets.puback(body[0] << 8 | body[1]))
            body = body[2:]
        return json.loads(body)


@pytest.fixture
def lamp(hub):
    made = Lamp(hub, "$ota/update")
    yield made
    made.raw.socket.close()


def version(lamp, text):
    lamp.say("$ota/report", {"type": "report_version", "report": {"version": text}})
    assert lamp.heard() == {
        "type": "report_version_rsp",
        "result_code": 0,
        "result_msg": "success",
        "version": text,
    }


def progress(lamp, state, code=0, **more):
    told = {"state": state, "result_code": str(code), "result_msg": "", **more}
    report = {"version": "1.1", "progress": told}
    lamp.say("$ota/report", {"type": "report_progress", "report": report})


def test_a_device_says_its_version_and_is_offered_an_update(hub, api, lamp):
    version(lamp, "1.0")
    uploaded = api.post("/updates/files", content=FILE).json()
    assert uploaded == {"md5": MD5, "bytes": len(FILE)}
    body = {"md5": MD5, "version": "1.1", "scheme": "http"}
    assert api.put("/devices/lamp/update", json=body).json() == {"receivers": 1}
    assert lamp.heard() == {
        "type": "update_firmware",
        "version": "1.1",
        "url": f"{hub.http}/updates/{MD5}",
        "md5sum": MD5,
        "file_size": len(FILE),
        "user_defined": "{}",
    }
    progress(lamp, "downloading", percent="30")
    hub.wait_for("update", state="downloading", percent=30)
    (row,) = api.get("/updates").json()["updates"]
    assert row == {
        "name": "lamp", "reported": "1.0", "version": "1.1", "state": "downloading",
        "percent": 30, "code": 0, "message": "",
    }  # fmt: skip


def test_what_is_not_taken_yet_is_offered_again(hub, lamp):
    hub.services.update("lamp", "1.1", FILE)
    first = lamp.heard()
    assert first["url"] == f"{hub.https}/updates/{MD5}"
    version(lamp, "1.0")
    assert lamp.heard() == first


@pytest.mark.parametrize(("state", "code"), [("done", 0), ("fail", -4)])
def test_what_has_ended_is_not_offered_again(hub, lamp, state, code):
    hub.services.update("lamp", "1.1", FILE)
    lamp.heard()
    progress(lamp, state, code)
    hub.wait_for("update", state=state)
    version(lamp, "1.0")
    version(lamp, "1.0")
    assert hub.services.updates()["lamp"]["code"] == code


def test_a_cancelled_one_is_not_offered_again(hub, api, lamp):
    hub.services.update("lamp", "1.1", FILE)
    lamp.heard()
    assert api.delete("/devices/lamp/update").json() == {"cancelled": True}
    assert api.delete("/devices/lamp/update").json() == {"cancelled": False}
    version(lamp, "1.0")
    version(lamp, "1.0")
    assert [one["version"] for one in hub.events if one["event"] == "offered"] == ["1.1"]
    (told,) = [one for one in hub.events if one["event"] == "cancelled"]
    assert (told["client_id"], told["version"]) == (PRODUCT_ID + "lamp", "1.1")


def test_it_is_kept_over_a_restart_of_the_hub(tmp_path):
    options = {"data": tmp_path, "product_id": PRODUCT_ID, "cert_key": "ec"}
    with Hub(**options) as hub:
        hub.add_device("lamp")
        hub.services.update("lamp", "1.1", FILE)
    with Hub(**options) as hub:
        assert hub.services.updates()["lamp"]["version"] == "1.1"
        assert httpx.get(f"{hub.http}/updates/{MD5}").content == FILE


def test_a_deleted_device_has_no_update(hub, lamp):
    hub.services.update("lamp", "1.1", FILE)
    hub.delete_device("lamp")
    assert hub.services.updates() == {}


HOSTILE = (
    b"",
    b"{",
    b"null",
    b"[" * 5000,
    b"\xff",
    {"type": "report_version"},
    {"type": "report_version", "report": []},
    {"type": "report_progress", "report": {"version": "1.1"}},
    {"type": "report_progress", "report": {"version": "1", "progress": {"state": "done"}}},
    {
        "type": "report_progress",
        "report": {"version": "1", "progress": {"state": [], "result_code": "x"}},
    },
    {
        "type": "report_progress",
        "report": {"version": "1", "progress": {"state": "none", "result_code": "0"}},
    },
    {"type": ["update"], "report": {"version": {}}},
)


def test_a_report_that_is_none_gets_no_answer(hub, lamp):
    for message in HOSTILE:
        lamp.say("$ota/report", message)
        version(lamp, "1.0")
    assert not [event for event in hub.events if event["event"] == "update"]


BAD_OFFERS = (
    ({"md5": "0" * 32}, "upload it first"),
    ({"version": ""}, "1 to 32 characters"),
    ({"version": "x" * 33}, "1 to 32 characters"),
    ({"scheme": "ftp"}, "http or https"),
    ({"version": None}, "version must be text"),
)


def test_an_offer_that_cannot_be(hub, api):
    hub.add_device("lamp")
    api.post("/updates/files", content=FILE)
    for change, words in BAD_OFFERS:
        answer = api.put("/devices/lamp/update", json={"md5": MD5, "version": "1.1", **change})
        assert answer.status_code == 400
        assert words in answer.json()["error"]


def test_an_empty_file_and_one_that_is_too_large(api):
    assert "is none" in api.post("/updates/files", content=b"").json()["error"]
    answer = api.post("/updates/files", content=bytes(16 * 1024 * 1024 + 1))
    assert answer.status_code == 413


def test_other_paths_take_no_more_than_before(api):
    assert api.post("/devices", content=bytes(65 * 1024)).status_code == 413


RANGES = {
    "bytes=0-99": (206, 0, 100),
    "bytes=100-199": (206, 100, 200),
    "bytes=25000-": (206, 25000, len(FILE)),
    "bytes=25000-99999": (206, 25000, len(FILE)),
    "bytes=5-2": (416, 0, 0),
    f"bytes={len(FILE)}-": (416, 0, 0),
    "bytes=-5": (200, 0, len(FILE)),
    "lines=1-2": (200, 0, len(FILE)),
    None: (200, 0, len(FILE)),
}


def test_a_file_is_served_whole_and_by_ranges(hub, api):
    api.post("/updates/files", content=FILE)
    with httpx.Client() as client:
        for wanted, (status, first, end) in RANGES.items():
            headers = {"Range": wanted} if wanted else {}
            answer = client.get(f"{hub.http}/updates/{MD5}?sign=x", headers=headers)
            assert answer.status_code == status
            assert answer.content == FILE[first:end]
            if status == 206:
                assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{len(FILE)}"


def test_no_such_file(hub):
    assert httpx.get(f"{hub.http}/updates/{MD5}").status_code == 404


# A fault: what a client sees of it.
OTA_TOLD = {
    "ota-md5": lambda told: told["md5sum"] == MD5[::-1],
    "ota-size:7": lambda told: told["file_size"] == len(FILE) + 7,
    "ota-version": lambda told: told["version"] == "1.1x",
    "ota-url": lambda told: told["url"].startswith("http://another-host.test/"),
}
OTA_SENT = {
    "ota-truncated": lambda got: got.headers["Content-Range"] == "bytes 0-99/12800",
    "ota-corrupt": lambda got: got.content[:50] == FILE[:50],
    "ota-no-range": lambda got: (got.status_code, got.content) == (200, FILE),
    "ota-slow:0.3": lambda got: got.elapsed.total_seconds() >= 0.3,
    "ota-status:403": lambda got: got.status_code == 403,
    "ota-redirect": lambda got: got.headers["Location"].startswith("https://another-host.test"),
}
OTA = [*OTA_TOLD, *OTA_SENT, "ota-cut:10"]


def test_faults_of_what_is_told(hub, lamp):
    for fault, seen in OTA_TOLD.items():
        hub.clear_faults()
        hub.fault(fault)
        hub.services.update("lamp", "1.1", FILE)
        assert seen(lamp.heard()), fault


def test_faults_of_what_is_sent(hub, api):
    api.post("/updates/files", content=FILE)
    for fault, seen in OTA_SENT.items():
        hub.clear_faults()
        hub.fault(fault)
        assert seen(httpx.get(f"{hub.http}/updates/{MD5}", headers={"Range": "bytes=0-99"})), fault


def test_a_connection_that_ends_in_the_middle(hub, api):
    api.post("/updates/files", content=FILE)
    hub.fault("ota-cut:10")
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        httpx.get(f"{hub.http}/updates/{MD5}")


def test_a_corrupt_file_differs_in_its_last_byte(hub, api):
    api.post("/updates/files", content=FILE)
    hub.fault("ota-corrupt")
    got = httpx.get(f"{hub.http}/updates/{MD5}").content
    assert got[:-1] == FILE[:-1]
    assert got[-1] != FILE[-1]


@pytest.fixture
def configured(hub):
    made = Lamp(hub, "$config/operation/result")
    yield made
    made.raw.socket.close()


def ask(lamp):
    lamp.say("$config/operation", {"type": "get"})
    return lamp.heard()


def test_a_device_without_a_configuration_is_told_so(configured):
    assert ask(configured) == {"type": "reply", "result": 1001, "payload": {}}


def test_a_configuration_is_pushed_and_asked_for(hub, api, configured):
    answer = api.put("/devices/lamp/config", json={"config": {"period": 5}})
    assert answer.json() == {"receivers": 1}
    assert configured.heard() == {"type": "push", "payload": {"period": 5}}
    assert ask(configured) == {"type": "reply", "result": 0, "payload": {"period": 5}}
    assert api.get("/devices/lamp/config").json() == {"config": {"period": 5}}
    assert api.delete("/devices/lamp/config").json() == {"removed": True}
    assert api.get("/devices/lamp/config").json() == {"config": None}
    assert api.delete("/devices/lamp/config").json() == {"removed": False}
    told = [one for one in hub.events if one["event"] == "configuration"]
    assert [one["change"] for one in told] == ["pushed", "removed"]
    assert {one["client_id"] for one in told} == {PRODUCT_ID + "lamp"}


def test_a_question_that_is_none_gets_no_answer(configured):
    for message in (b"", b"[]", b"{", b'{"type":"set"}', b'{"type":[]}'):
        configured.say("$config/operation", message)
        assert ask(configured)["result"] == 1001


def test_a_configuration_that_cannot_be(hub, api):
    hub.add_device("lamp")
    for config in ([], "text", None):
        answer = api.put("/devices/lamp/config", json={"config": config})
        assert "config must be a JSON object" in answer.json()["error"]
    with pytest.raises(HubError, match="payload over 16384 bytes"):
        hub.services.configure("lamp", {"text": "x" * 16384})
    assert api.get("/devices/lamp/config").json() == {"config": None}


def test_a_url_has_no_port_that_its_scheme_implies():
    ports = {"http": 80, "https": 443, "mqtt": 1, "mqtts": 2, "control": 3, "ntp": 4, "dns": 5}
    found = urls("127.0.0.1", "127.0.0.1", ports, None)
    assert found.gateway("http") == "http://127.0.0.1"
    assert found.gateway("https") == "https://localhost"
    other = urls("127.0.0.1", "127.0.0.1", {**ports, "http": 8080, "https": 8443}, None)
    assert other.gateway("http") == "http://127.0.0.1:8080"
    assert other.gateway("https") == "https://localhost:8443"


# What the vendor's C SDK (3.3.0) sends on its way through an update: a blank behind each colon and
# comma, percent and code as texts, no percent at the end.
C_SAYS = (
    ('"downloading", "percent":"0", ', ("downloading", 0)),
    ('"downloading", "percent":"51", ', ("downloading", 51)),
    ('"downloading", "percent":"100", ', ("downloading", 100)),
    ('"burning", ', ("burning", 100)),
    ('"done", ', ("done", 100)),
)


def test_an_update_as_the_vendors_c_sdk_reports_it(hub, lamp):
    hub.services.update("lamp", "2.0.0", FILE)
    lamp.heard()
    lamp.say("$ota/report", b'{"type": "report_version", "report":{"version":"1.0.0"}}')
    assert lamp.heard()["type"] == "report_version_rsp"
    assert lamp.heard()["version"] == "2.0.0"
    for count, (state, stands) in enumerate(C_SAYS, 1):
        progress = f'{{"state":{state}"result_code":"0", "result_msg":""}}'
        report = f'{{"progress": {progress}, "version": "2.0.0"}}'
        lamp.say("$ota/report", f'{{"type": "report_progress", "report": {report}}}'.encode())
        hub.wait_for("update", count=count)
        row = hub.services.updates()["lamp"]
        assert (row["state"], row["percent"]) == stands


def test_a_failure_without_a_percentage_keeps_the_one_before(hub, lamp):
    hub.services.update("lamp", "1.1", FILE)
    lamp.heard()
    for progress in ({"state": "downloading", "percent": "40"}, {"state": "fail"}):
        report = {
            "version": "1.1",
            "progress": {"result_code": "-1", "result_msg": "", **progress},
        }
        lamp.say("$ota/report", {"type": "report_progress", "report": report})
    assert hub.wait_for("update", state="fail")["percent"] == 40
    assert hub.services.updates()["lamp"]["percent"] == 40


def test_a_range_that_ends_behind_the_file(hub):
    """As the vendor's SDKs ask: "bytes=0-" with the file's size, in C and in Python."""
    hub.add_device("lamp")
    hub.services.update("lamp", "2.0.0", FILE)
    url = f"{hub.http}/updates/{MD5}"
    for first in (0, 5000):
        reply = httpx.get(url, headers={"Range": f"bytes={first}-{len(FILE)}"})
        assert reply.status_code == 206
        assert reply.content == FILE[first:]
        assert reply.headers["Content-Range"] == f"bytes {first}-{len(FILE) - 1}/{len(FILE)}"
