"""The link itself: delay, loss, and that it is nobody else's."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynreg_tools.bench import trace
from dynreg_tools.bench.errors import NoLink
from dynreg_tools.bench.link import CLIENT, HUB, Link
from tests_host.bench.no_link import no_link

ROOT = Path(__file__).resolve().parents[2]
END_S = 10


@pytest.fixture
def link():
    try:
        with Link() as link:
            yield link
    except NoLink as missing:
        no_link(missing)


def udp(namespace, address):
    sock = namespace.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 0))
    return sock


def test_a_packet_takes_half_the_round_trip_each_way(link):
    link.use(30)
    with udp(link.client, CLIENT) as here, udp(link.hub, HUB) as there:
        began = time.monotonic()
        here.sendto(b"ping", there.getsockname())
        there.settimeout(END_S)
        assert there.recvfrom(10) == (b"ping", here.getsockname())
        assert time.monotonic() - began >= 0.015
        there.sendto(b"pong", here.getsockname())
        here.settimeout(END_S)
        assert here.recv(10) == b"pong"
        assert time.monotonic() - began >= 0.030
    entries = link.noted()
    assert [entry[3:5] for entry in entries] == [[False, 32], [True, 32]]
    assert all(late >= 0 for late in trace.lateness_ms(entries))


def lost_of(link, seed, count=200):
    """Which of so many packets do not arrive, with a fifth of them lost."""
    link.use(1, loss=0.2, seed=seed)
    with udp(link.client, CLIENT) as here, udp(link.hub, HUB) as there:
        arrived = []
        for number in range(count):
            here.sendto(b"%d" % number, there.getsockname())
            if select.select([there], [], [], 0)[0]:
                arrived.append(int(there.recv(10)))
        while select.select([there], [], [], 0.2)[0]:
            arrived.append(int(there.recv(10)))
        assert len(link.noted()) == count
    return set(range(count)) - set(arrived)


def test_loss_is_as_asked_and_the_same_for_the_same_seed(link):
    lost = lost_of(link, 1)
    assert 20 <= len(lost) <= 60
    assert lost_of(link, 1) == lost != lost_of(link, 2)


def test_the_host_sees_nothing_of_it(link):
    devices = Path("/proc/thread-self/net/dev").read_text(encoding="utf-8")
    assert "link:" not in devices
    inside = link.client.call(Path("/proc/thread-self/net/dev").read_text)
    assert "link:" in inside
    assert "eth" not in inside
    spaces = {
        call(os.readlink, "/proc/thread-self/ns/net")
        for call in (link.client.call, link.hub.call, lambda f, *a: f(*a))
    }
    assert len(spaces) == 3


KILLED = """
import subprocess, sys, time
from dynreg_tools.bench.link import Link
with Link() as link:
    client = link.client.call(subprocess.Popen, ["setpriv", "--pdeathsig", "KILL", "sleep", "600"])
    print(link._forwarder.pid, client.pid, flush=True)
    time.sleep(600)
"""


def test_a_bench_that_is_killed_leaves_nothing_behind(link):
    command = [sys.executable, "-c", KILLED]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        left = [int(pid) for pid in process.stdout.readline().split()]
        assert len(left) == 2
        assert all(map(running, left))
        comm = Path(f"/proc/{left[1]}/comm")
        assert soon(
            lambda: comm.read_text(encoding="utf-8") == "sleep\n"
        )  # setpriv has asked to end with us
        process.send_signal(signal.SIGKILL)
    assert soon(lambda: not any(map(running, left)))


def soon(true):
    """Whether true() comes to be so in END_S."""
    deadline = time.monotonic() + END_S
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def running(pid):
    """Whether there is such a process that has not ended (one that nobody waits for has)."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
            not in "ZX"
        )
    except FileNotFoundError:
        return False
