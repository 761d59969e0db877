"""A hub that runs out of something: descriptors, its disk, a peer's patience. It goes on."""

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from hubclient import Raw, credentials, logged_in, new_secret, post, register

from dynreg_tools.hub import Hub
from tests_host.corpus import packets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits another process's")


class HubProcess(SimpleNamespace):
    """`dynreg hub` in a process of its own, whose limits can be changed."""

    def __init__(self, data):
        secret = new_secret()
        command = [sys.executable, "-m", "dynreg_tools", "hub", "--cert-key", "ec", "--data", data]
        self.process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                "DYNREG_PRODUCT_SECRET": secret,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        super().__init__(**json.loads(self.process.stdout.readline()), product_secret=secret)
        self.events = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self.events += map(json.loads, self.process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self._reader.join()
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        assert self.process.wait(10) == 0
        assert errors == ""

    def limit(self, what, value):
        """Set a soft limit of the process; what it was."""
        before, hard = resource.prlimit(self.process.pid, what)
        resource.prlimit(self.process.pid, what, (value, hard))
        return before

    def cpu_seconds(self):
        fields = (
            Path(f"/proc/{self.process.pid}/stat")
            .read_text(encoding="utf-8")
            .rpartition(") ")[2]
            .split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def named(self, event):
        return [one for one in self.events if one["event"] == event]

    def wait(self, event, count=1):
        deadline = time.monotonic() + 10
        while len(self.named(event)) < count:
            assert time.monotonic() < deadline, f"no {event}"
            time.sleep(0.02)
        return self.named(event)


@pytest.fixture
def process(tmp_path):
    with HubProcess(tmp_path / "data") as process:
        yield process


def ended(sock):
    """Whether the hub has closed a connection on which nothing was said."""
    sock.settimeout(0.3)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.process
def test_out_of_descriptors(process):
    host, _, port = process.mqtts.removeprefix("mqtts://").partition(":")
    with ExitStack() as open_ones, logged_in(process) as session:
        process.limit(resource.RLIMIT_NOFILE, 100)
        crowd = [
            open_ones.enter_context(socket.create_connection((host, int(port))))
            for _ in range(120)
        ]
        [event] = process.wait("out_of_descriptors")
        assert event["limit"] == 100
        assert ended(crowd[-1])
        assert not ended(crowd[0])
        session.send(packets.PINGREQ)
        assert session.packet() == (0xD0, b"")
        open_ones.close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                assert "Payload" in post(process, "later")
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        session.send(packets.PINGREQ)  # this one has outlived it all
        logged_in(process, "after").socket.close()
        assert len(process.named("out_of_descriptors")) == 1


@pytest.mark.process
def test_not_one_descriptor(process):
    """accept() itself fails: the port waits, and takes its connections as soon as it can."""
    before = process.limit(resource.RLIMIT_NOFILE, 3)
    parts = process.http.removeprefix("http://").partition(":")
    with socket.create_connection((parts[0], int(parts[2]))) as waiting:
        [event] = process.wait("out_of_descriptors")
        assert event["limit"] == 3
        before_pause = process.cpu_seconds()
        time.sleep(1)
        assert process.cpu_seconds() - before_pause < 0.5, "it does not try without end"
        process.limit(resource.RLIMIT_NOFILE, before)
        waiting.settimeout(5)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert waiting.recv(12) == b"HTTP/1.1 404"


@pytest.mark.process
def test_a_full_disk(process, tmp_path):
    size = sum(path.stat().st_size for path in (tmp_path / "data").glob("hub.db-wal"))
    before = process.limit(resource.RLIMIT_FSIZE, size + 30000)
    told, errors = {}, []
    for number in range(60):
        answer = post(process, f"d{number}")
        if "Error" in answer:
            errors.append(answer["Error"])
        else:
            told[f"d{number}"] = True
    assert told
    assert errors
    assert {error["Code"] for error in errors} == {"InternalError"}
    assert "hub.db" in process.wait("refused")[0]["message"]
    process.limit(resource.RLIMIT_FSIZE, before)
    assert "Payload" in post(process, "later")
    for name in (*told, "later"):
        assert post(process, name)["State"] == 1, "it is kept, and may register again"
    assert not process.named("internal_error")


@pytest.mark.process
def test_a_first_login_on_a_full_disk(process):
    psk = register(process)
    login = packets.connect(*credentials(process, "dev-01", psk))
    before = process.limit(resource.RLIMIT_FSIZE, 4096)
    with Raw(process.mqtt) as raw:
        raw.send(login)
        assert raw.ended() == b"", "no CONNACK: none of its codes says it"
    assert "hub.db" in process.wait("login_refused")[0]["reason"]
    process.limit(resource.RLIMIT_FSIZE, before)
    with Raw(process.mqtt) as raw:
        raw.send(login)
        assert raw.packet() == (0x20, b"\0\0")
    assert process.wait("login")[0]["first"]


def test_a_thousand_half_open_connections(tmp_path):
    """Nobody speaks on any port, and one who does is served at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 5000:
        pytest.skip("this machine has no 5,000 descriptors for it")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 5000), hard))
    try:
        with Hub(tmp_path, cert_key="ec") as hub, ExitStack() as crowd:
            for url in (hub.http, hub.https, hub.mqtt, hub.mqtts):
                host, _, port = url.partition("://")[2].partition(":")
                for _ in range(250):
                    crowd.enter_context(socket.create_connection((host, int(port))))
            logged_in(hub).socket.close()
            requests.get(hub.https, verify=hub.ca_pem, timeout=5).close()
            assert not [one for one in hub.events if one["event"] == "internal_error"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.ci
@pytest.mark.parametrize("port", ["mqtt", "mqtts"])
def test_a_subscriber_that_does_not_read(tmp_path, port):
    with Hub(tmp_path, cert_key="ec", record=False, on_event=(events := []).append) as hub:
        name, payload = f"{hub.product_id}/reader/control", bytes(16000)
        login = packets.connect(*credentials(hub, "reader", register(hub, "reader")), keepalive=0)
        verify = hub.ca_pem if port == "mqtts" else None
        with Raw(getattr(hub, port), verify, 4096) as raw, logged_in(hub, "other") as other:
            raw.send(login + packets.subscribe(1, name))
            assert raw.packet() == (0x20, b"\0\0")
            assert raw.packet()[0] == 0x90
            sent = 0
            while hub.publish(name, payload):
                sent += 1
                assert sent < 4000, "64 MB wait for it"
            assert sent > 150, "all that a session keeps is sent at once"
            other.send(packets.PINGREQ)
            assert other.packet() == (0xD0, b"")
    ends = {one["client_id"][10:]: one["reason"] for one in events if one["event"] == "disconnect"}
    assert ends["reader"] == "protocol: the client does not read"
