"""Faults as such: how they are written, switched on and off, counted and reported."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import requests
from hubclient import PRODUCT_ID, new_secret, post, signed
from test_hub_faults_http import HTTP, REPLY
from test_hub_faults_mqtt import PACKETS
from test_hub_faults_names_and_time import DNS, NTP, TIME
from test_hub_faults_wire import PSK, TCP, TLS
from test_hub_psk import PSK_LOGIN
from test_hub_updates import OTA

from dynreg_tools.hub import HubError
from dynreg_tools.hub.faults import CATALOGUE, FaultError, parse, table

ROOT = Path(__file__).parents[2]


def test_every_fault_is_shown_on_the_wire():
    shown = {
        re.split("[@:*]", spec)[0]
        for names in (HTTP, REPLY, PACKETS, DNS, NTP, TIME, PSK, PSK_LOGIN, TCP, TLS, OTA)
        for spec in names
    }
    assert shown == set(CATALOGUE)
    assert len(CATALOGUE) >= 60


@pytest.mark.parametrize(
    ("spec", "name", "argument", "service", "times"),
    [
        ("tcp-reset", "tcp-reset", 0, None, None),
        ("tcp-reset@gateway:120*3", "tcp-reset", 120, "gateway", 3),
        ("tls-expired@broker", "tls-expired", None, "broker", None),
        ("http-page:404", "http-page", 404, None, None),
        ("time-off:-2.5*1", "time-off", -2.5, None, 1),
    ],
)
def test_a_fault_is_read(spec, name, argument, service, times):
    fault = parse(spec)
    row = {"name": name, "argument": argument, "service": service, "left": times}
    assert fault.row() == row


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("tls-expird", "nearest: tls-expired"),
        ("qqqqqq", "--faults shows all"),
        ("TLS expired", "write it as NAME[@SERVICE][:ARGUMENT][*TIMES]"),
        ("tls-expired:3", "takes no argument"),
        ("http-page:999", "HTTP status, 200 to 599"),
        ("tcp-drip:-1", "seconds"),
        ("tcp-drip:inf", "seconds"),
        ("mqtt-connack:0", "1 to 255"),
        ("reply-refused:sometimes", "one of body, "),
        ("http-page@gateway", "no @SERVICE"),
        ("tcp-reset@cloud", "gateway or broker"),
        ("tcp-reset*0", "0 times"),
        ("tcp-refuse*2", "no *TIMES"),
    ],
)
def test_a_bad_fault_gets_one_sentence(hub, spec, words):
    with pytest.raises(FaultError, match=re.escape(words)) as caught:
        parse(spec)
    assert "\n" not in str(caught.value)
    with pytest.raises(HubError):
        hub.fault(spec)
    assert hub.faults == []


def test_times_are_counted_and_reported(hub):
    hub.fault("http-page:503*2")
    headers, body = signed(hub)
    url = hub.http + "/device/register"
    codes = [requests.post(url, body, headers=headers, timeout=10).status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    triggered = [event for event in hub.events if event["event"] == "fault"]
    assert [(e["name"], e["argument"]) for e in triggered] == [("http-page", 503)] * 2
    assert hub.faults == []


def test_one_takes_the_place_of_its_like(hub):
    for spec in ("tcp-reset@broker:1", "tcp-reset@gateway:2", "tcp-reset@broker:3*4"):
        hub.fault(spec)
    assert [(f["service"], f["argument"]) for f in hub.faults] == [("gateway", 2), ("broker", 3)]
    assert hub.clear_faults("tcp-reset") == 2
    assert hub.clear_faults() == 0


def test_faults_from_the_start(start_hub):
    hub = start_hub(faults=["reply-refused:limit*1"])
    assert post(hub)["Error"]["Code"] == "LimitExceeded.RegisterLimit"
    assert "Payload" in post(hub)
    with pytest.raises(HubError, match="there is no fault"):
        start_hub(data=None, faults=["no-such"])


def test_the_control_port(hub):
    with httpx.Client(base_url=hub.control, timeout=10) as control:
        reply = control.put("/faults/mqtt-connack", params={"arg": 5, "times": 2})
        on = {"name": "mqtt-connack", "argument": 5, "service": None, "left": 2}
        assert reply.json() == {"on": on}
        control.put("/faults/tls-expired", params={"service": "broker"})
        listed = control.get("/faults").json()
        assert [fault["name"] for fault in listed["active"]] == ["mqtt-connack", "tls-expired"]
        assert {kind["name"] for kind in listed["known"]} == set(CATALOGUE)
        assert control.delete("/faults/mqtt-connack").json() == {"off": 1}
        assert control.delete("/faults").json() == {"off": 1}
        assert hub.faults == []


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("PUT", "/faults/tls-expird", 400, "nearest: tls-expired"),
        ("PUT", "/faults/http-page?arg=9", 400, "HTTP status"),
        ("PUT", "/faults/http-page?argument=500", 400, "there are arg, times, service"),
        ("DELETE", "/faults/http-pag", 400, "nearest: http-page"),
        ("POST", "/faults", 405, "DELETE, GET, HEAD only"),
        ("PUT", "/faults", 405, "DELETE, GET, HEAD only"),
        ("GET", "/fault", 404, "there is no '/fault'"),
    ],
)
def test_the_control_port_says_what_is_wrong(hub, method, path, status, words):
    reply = requests.request(method, hub.control + path, timeout=10)
    assert reply.status_code == status
    assert words in reply.json()["error"]


def test_the_control_port_is_for_this_machine(start_hub):
    hub = start_hub(host="0.0.0.0")
    reply = requests.get(hub.control + "/faults", headers={"Host": "evil.test"}, timeout=10)
    assert reply.status_code == 403
    assert hub.control.startswith("http://127.0.0.1:")


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dynreg_tools", "hub", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.process
def test_the_command_line():
    shown = command("--faults")
    assert shown.returncode == 0
    assert shown.stdout == table() + "\n"
    rows = json.loads(command("--faults", "--json").stdout)
    assert {row["name"] for row in rows} == set(CATALOGUE)
    bad = command("--fault", "tls-expird")
    assert bad.returncode == 2
    assert "nearest: tls-expired" in bad.stderr
    began = time.monotonic()
    fine = command(
        "--product-id",
        PRODUCT_ID,
        "--product-secret",
        new_secret(),
        "--cert-key",
        "ec",
        "--fault",
        "tls-expired@broker",
        "--fault",
        "dns-silent*3",
        "--stop-after",
        "0.1",
    )
    assert fine.returncode == 0
    assert json.loads(fine.stdout.splitlines()[0])["control"]
    assert time.monotonic() - began < 20
