"""Hub as a whole: life, data directory, SNTP, and the command line."""

import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from hubclient import PRODUCT_ID, Raw, logged_in, new_secret, post, register

from dynreg_tools.hub import EVENTS, Hub, HubError
from dynreg_tools.hub.udp import sntp
from tests_host.commands import dynreg

ROOT = Path(__file__).parents[2]


def ask_time(address, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.sendto(request, address)
        return sock.recv(100)


@pytest.mark.parametrize("version", [1, 3, 4])
def test_sntp(hub, version):
    stamp = bytes(range(8))
    before = time.time()
    reply = ask_time(hub.ntp, bytes((version << 3 | 3, 0, 6)) + bytes(37) + stamp)
    assert len(reply) == 48
    assert reply[:3] == bytes((version << 3 | 4, 2, 6))
    assert reply[24:32] == stamp
    times = struct.unpack(">6I", reply[16:24] + reply[32:48])
    reference, receive, transmit = (
        times[i] - 2208988800 + times[i + 1] / 2**32 for i in (0, 2, 4)
    )
    assert before - 1 < reference <= receive <= transmit < time.time() + 0.01
    assert receive >= before - 0.01
    assert hub.wait_for("time_served")


@pytest.mark.parametrize(
    "request_",
    [b"", b"\x1b" + bytes(46), b"\x1c" + bytes(47), b"\x03" + bytes(47)],
    ids=["empty", "short", "not a client", "version 0"],
)
def test_sntp_ignores_others(hub, request_):
    with pytest.raises(TimeoutError):
        ask_time(hub.ntp, request_)


def test_sntp_wraps_in_2036():
    assert sntp.ntp_timestamp(2**32 - 2208988800 + 0.5) == bytes(4) + b"\x80\0\0\0"


def test_leaves_nothing_behind():
    threads = threading.active_count()
    with Hub(cert_key="ec") as hub:
        assert re.fullmatch("[A-Z0-9]{10}", hub.product_id)
        assert re.fullmatch("[A-Za-z0-9]{24}", hub.product_secret)
        assert hub.made_secret
        directory = hub.ca_pem.parent
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        session = logged_in(hub)
        half = Raw(hub.mqtts, hub.ca_pem)
        idle = Raw(hub.http)
    for raw in (session, half, idle):
        assert raw.ended() == b""
        raw.socket.close()
    assert hub.wait_for("disconnect")["reason"] == "hub"
    assert not directory.exists()
    assert threading.active_count() == threads
    with pytest.raises(OSError):
        Raw(hub.http)
    hub.stop()


def test_data_directory_survives(tmp_path):
    data = tmp_path / "a" / "b"
    with Hub(data, cert_key="ec", devices=["made"]) as first:
        psk = register(first, "made")
        logged_in(first, "made", psk).socket.close()
        authority = first.ca_pem.read_bytes()
    private = {p.name for p in data.iterdir() if stat.S_IMODE(p.stat().st_mode) == 0o600}
    assert {p.name for p in data.iterdir()} == {"hub.db", "ca.pem", "ca.der", "ca_key.pem"}
    assert private == {path.name for path in data.iterdir()}
    with Hub(data, cert_key="ec", devices=["made"]) as second:
        assert second.product_id == first.product_id
        assert second.made_secret
        assert second.product_secret == first.product_secret
        assert second.ca_pem.read_bytes() == authority
        assert requests.get(second.https, verify=second.ca_pem, timeout=5).status_code == 404
        [device] = second.devices()
        assert device["psk"] == psk
        assert device["activated"]
        assert post(second, "made")["Error"]["Message"] == "device has been activated"
    with Hub(data, cert_key="ec", product_id="0", product_secret="x" * 16) as third:
        assert (third.product_id, third.made_secret, third.devices()) == ("0", False, [])
        old = SimpleNamespace(product_id=first.product_id, mqtt=third.mqtt)
        logged_in(old, "made", psk).socket.close()  # products of the directory stay alive
    with Hub(data, cert_key="ec") as fourth:
        assert (fourth.product_id, fourth.product_secret) == ("0", "x" * 16)
        assert not fourth.made_secret


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"product_id": "A-B"}, "product id"),
        ({"product_secret": "x" * 15}, "16 to 32"),
        ({"product_secret": "x" * 33}, "16 to 32"),
        ({"devices": ["a b"]}, "device name"),
        ({"port_base": 65532}, "port base"),
        ({"host": ""}, "host to listen on"),
        ({"login_ms": -1}, "0 or more milliseconds"),
        ({"reply_ms": -1}, "0 or more milliseconds"),
        ({"auth_mode": "psk"}, "auth mode"),
        ({"device_key": "dsa"}, "rsa or ec"),
        ({"cert_key": "dsa"}, "rsa or ec"),
        ({"own_ca": b"x"}, "one certificate in PEM"),
        ({"own_ca": b"x", "auth_mode": "key"}, "auth mode cert, not key"),
    ],
)
def test_bad_options(options, words):
    with pytest.raises(HubError, match=words):
        Hub(**options)


def test_unusable_places(tmp_path):
    (tmp_path / "file").write_text("")
    for data in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HubError, match="data directory"):
            Hub(data).start()
    with Hub(tmp_path / "used", cert_key="ec"), pytest.raises(HubError, match="another hub"):
        Hub(tmp_path / "used").start()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "hub.db").write_text("no database" * 100)
    with pytest.raises(HubError, match=r"hub\.db"):
        Hub(tmp_path / "bad").start()
    with pytest.raises(HubError, match="cannot listen"):
        Hub(tmp_path / "used", host="203.0.113.1").start()
    for host in ("a b", "nosuch.invalid", "x" * 70 + ".test"):
        with pytest.raises(HubError, match="cannot listen"):
            Hub(tmp_path / "used", host=host).start()


@pytest.mark.parametrize("host", ["::1", "::", "0.0.0.0", "localhost", socket.gethostname()])
def test_any_host_that_this_machine_has(tmp_path, host):
    try:
        socket.create_server((host, 0), family=socket.getaddrinfo(host, None)[0][0]).close()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with Hub(tmp_path, cert_key="ec", host=host) as hub:
        logged_in(hub).socket.close()
        assert requests.get(hub.https, verify=hub.ca_pem, timeout=5).status_code == 404
        family = socket.AF_INET6 if ":" in hub.ntp[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            for kind in (1, 28):  # A, AAAA
                sock.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\3hub\4test\0\0%c\0\1" % kind, hub.dns)
                found = sock.recv(500)
                assert found[7] == ((kind == 28) == (family == socket.AF_INET6)), "answers"


def test_a_reply_and_a_login_take_their_time(tmp_path):
    with Hub(tmp_path, cert_key="ec", reply_ms=300, login_ms=300) as hub:
        began = time.monotonic()
        registering = threading.Thread(target=post, args=[hub])
        registering.start()
        hub.wait_for("registered")
        [device] = hub.devices()
        assert registering.is_alive(), "it counts before the reply"
        registering.join()
        assert time.monotonic() - began >= 0.3
        began = time.monotonic()
        logged_in(hub, psk=device["psk"]).socket.close()
        assert time.monotonic() - began >= 0.3


def test_devices_by_hand(hub):
    hub.add_device("a")
    with pytest.raises(HubError, match="exists"):
        hub.add_device("a")
    with pytest.raises(HubError, match="name"):
        hub.add_device("a/b")
    with pytest.raises(HubError, match="base64"):
        hub.add_device("b", psk="?")
    with pytest.raises(HubError, match="no device"):
        hub.delete_device("b")
    [device] = hub.devices()
    assert abs(device.pop("created") - time.time()) < 3
    assert device == {
        "name": "a", "mode": "key", "psk": None, "fingerprint": None, "activated": False,
        "automatic": False, "disabled": False,
    }  # fmt: skip


def test_wait_for(hub):
    with pytest.raises(TimeoutError, match="no login"):
        hub.wait_for("login", timeout=0.05)
    threading.Timer(0.05, register, [hub]).start()
    assert hub.wait_for("registered", device_name="dev-01")["state"] == 0
    with pytest.raises(TimeoutError):
        hub.wait_for("registered", timeout=0.05, count=2)
    with pytest.raises(TimeoutError):
        hub.wait_for("registered", timeout=0.05, nonsense=None)


def test_a_defect_inside_is_raised_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("dynreg_tools.hub.http.gateway.register", lambda *_: 1 / 0)
    hub = Hub(tmp_path, cert_key="ec", product_id=PRODUCT_ID)
    with pytest.raises(ZeroDivisionError), hub:
        with pytest.raises(requests.ConnectionError):
            post(hub)
        assert hub.wait_for("internal_error")["error"] == "ZeroDivisionError"


# The command line.


@contextmanager
def start(*args, **environment):
    """A hub process, which does not outlive a test that fails."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("DYNREG_")}
    with subprocess.Popen(
        [sys.executable, "-m", "dynreg_tools", "hub", "--cert-key", "ec", *args],
        cwd=ROOT,
        env={**inherited, "COLUMNS": "96", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # no effect on one that has ended


def failed(*args, **environment):
    """(exit code, errors) of a hub that does not start, in this process."""
    result = dynreg("hub", "--cert-key", "ec", "--stop-after", "5", *args, **environment)
    assert result.out == ""
    return result.code, result.err


@pytest.mark.process
def test_command_line(tmp_path):
    secret = new_secret()
    args = ["--data", str(tmp_path), "--product-id", PRODUCT_ID, "--register-type", "1"]
    with start(*args, "--device", "made", DYNREG_PRODUCT_SECRET=secret) as process:
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {
            "ready", "http", "https", "mqtt", "mqtts", "ntp", "ca_pem", "ca_der", "product_id",
            "auth_mode", "psk", "dns", "control", "workbench",
        }  # fmt: skip
        assert ready["auth_mode"] == "key"
        assert ready["ready"] is True
        assert ready["product_id"] == PRODUCT_ID
        assert ready["http"].startswith("http://127.0.0.1:")
        assert ready["mqtts"].startswith("mqtts://localhost:")
        assert Path(ready["ca_der"]).is_absolute()
        assert Path(ready["ca_der"]).exists()
        hub = SimpleNamespace(**ready, product_secret=secret)
        psk = register(hub, "made")
        assert "Error" in post(hub, "other")
        with logged_in(hub, "made", psk):
            names = [json.loads(process.stdout.readline())["event"] for _ in range(3)]
        assert names == ["registered", "refused", "login"]
        host, port = ready["ntp"].split(":")
        assert len(ask_time((host, int(port)), b"\x1b" + bytes(47))) == 48
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert {json.loads(line)["event"] for line in output.splitlines()} <= set(EVENTS)
    assert secret not in output
    assert psk not in output
    assert secret not in json.dumps(ready)


@pytest.mark.process
def test_command_line_makes_its_own_product():
    with start() as process:
        ready = json.loads(process.stdout.readline())
        assert "Payload" in post(SimpleNamespace(**ready))
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert ready["product_secret"] not in output
    assert not Path(ready["ca_pem"]).parent.exists()


def test_command_line_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases = [
            (["--product-id", "A B"], "the product id must be 1 to 32 letters and digits"),
            (["--product-secret", "short"], "the product secret must be 16 to 32 characters"),
            (["--data", str(tmp_path / "file")], "cannot make the data directory"),
            (
                ["--port-base", port],
                f"port {port} (http) on 127.0.0.1 is in use: take others by --port-base",
            ),
        ]
        for args, message in cases:
            code, errors = failed(*args)
            assert code == 1
            assert errors.startswith("dynreg: " + message)
            assert errors.count("\n") == 1
    for args in (["--register-type", "3"], ["--register-limit", "x"], ["--nonsense"]):
        code, errors = failed(*args)
        assert code == 2
        assert errors.startswith("usage: dynreg hub ")
    code, errors = failed(DYNREG_PRODUCT_SECRET="hunter2")
    assert code == 1
    assert "hunter2" not in errors


@pytest.mark.process
def test_stop_after_and_help():
    begin = time.monotonic()
    with start("--stop-after", "0.2") as process, start("--help") as helper:
        assert process.communicate(timeout=10)[0].count("\n") == 1
        text = helper.communicate(timeout=10)[0]
    assert (process.returncode, helper.returncode) == (0, 0)
    assert time.monotonic() - begin > 0.2
    assert "dynreg hub --data" in text
    assert max(map(len, text.splitlines())) < 100
    for event in EVENTS:
        assert re.search(rf"^  {event} +\S", text, re.MULTILINE)


@pytest.mark.process
def test_reader_that_goes_away_ends_it(tmp_path):
    with start("--data", str(tmp_path)) as process:
        ready = json.loads(process.stdout.readline())
        process.stdout.close()
        requests.get(ready["http"], timeout=5)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
