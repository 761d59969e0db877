"""services/setup on a board: an access point, what telephones and foreign clients do to it, and
the way from no Wi-Fi at all to the login at the hub."""

import http.client
import re
import socket
import time
import urllib.parse
import urllib.request
from contextlib import suppress

import pytest
from dnslib import EDNS0, QTYPE, DNSRecord

from tests_host.flow.conftest import WIFI, report_of

SETUP = {"key": "canary-setup-key-0123456789"}
# The program's own, before Device(): docs/setup.md.
WITH_SETUP = """
from dynreg import DynregError, log
from dynreg.services import setup

try:
    print("setup:", setup.wifi())
except DynregError as error:
    log.error("%s [%s]" % (error, error.code))
"""
ONLY_SETUP = WITH_SETUP + 'print("ended")\n'
TOKEN = re.compile(r'name="t" value="(\w+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def open_board(virtual_board):
    """Powers the board on without a Wi-Fi; gives it once its access point is there."""

    def opened(main, fast_forward=None, **changes):
        virtual_board.configure(**{"wifi": None, "setup": SETUP, **changes})
        virtual_board.install({"/main.py": main})
        running = virtual_board.start(fast_forward=fast_forward)
        running.wait_for("setup: access point")
        return running

    return opened


def page_of(running):
    """The page and its token."""
    with urllib.request.urlopen(running.access_point["http"], timeout=10) as reply:
        text = reply.read().decode()
    return text, (TOKEN.findall(text) or [""])[0]


def give(running, name, password, **more):
    """What the page's form sends; the page that comes of it."""
    token = page_of(running)[1]
    values = {"t": token, "n": name.encode().hex(), "o": "", "p": password, **more}
    data = urllib.parse.urlencode(values).encode()
    with urllib.request.urlopen(running.access_point["http"], data, timeout=10) as reply:
        return reply.read().decode()


def wait_page(running, words, seconds):
    end = time.monotonic() + seconds
    while words not in (text := page_of(running)[0]):
        assert time.monotonic() < end, text
        time.sleep(0.1)
    return text


def test_from_no_wifi_to_the_login(virtual_board, open_board):
    main = WITH_SETUP + virtual_board.board.read_file("/main.py").decode()
    running = open_board(main)
    point = running.access_point
    assert point["security"] == 3
    assert re.fullmatch("[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", point["key"])
    text = page_of(running)[0]
    assert f'value="{b"bench".hex()}"' in text
    assert "Joining" in give(running, "bench", WIFI["bench"])
    assert "is joined and stored" in wait_page(running, "joined", 10)
    running.wait_for("setup: True")
    assert running.access_point is None
    running.wait_for("heartbeat: sent", 60)
    assert report_of(running.output)["connected"] is True
    virtual_board.stop()
    for secret in (point["key"], WIFI["bench"], SETUP["key"]):
        assert secret not in running.output
    info = virtual_board.info()
    assert info["wifi"] == {"ssid": "bench", "password": WIFI["bench"]}
    assert info["setup"] == {"key": "", "password": point["key"]}


@pytest.mark.slow
def test_a_wrong_password_is_told_and_nothing_stored(virtual_board, open_board):
    running = open_board(ONLY_SETUP)
    give(running, "bench", "not the password")
    wait_page(running, "Is the password right?", 25)
    give(running, "bench", WIFI["bench"])
    wait_page(running, "joined", 10)
    running.wait_for("ended")
    assert "not the password" not in running.output
    virtual_board.stop()
    assert virtual_board.info()["wifi"]["password"] == WIFI["bench"]


def test_an_access_point_that_nobody_uses_ends(virtual_board, open_board):
    running = open_board(ONLY_SETUP, fast_forward=100, setup={**SETUP, "open": 60})
    running.wait_for("setup: False", 60)
    assert running.access_point is None


def test_a_known_network_that_is_gone_opens_it_and_is_tried_once_more(open_board):
    known = {"ssid": "bench", "password": "an old one"}
    running = open_board(ONLY_SETUP, fast_forward=100, wifi=known, setup={**SETUP, "after": 20})
    running.wait_for("setup: False", 60)
    assert running.output.count("wifi: joining bench") == 3, "by boot.py, then for 20 s"
    assert "setup: 'bench': password" in running.output, "and once more while nobody came"


def _asked(running, query):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.sendto(query, tuple(running.access_point["dns"]))
        with suppress(TimeoutError):
            return sock.recv(1024)
    return None


def test_names_as_another_library_asks_for_them(open_board):
    running = open_board(ONLY_SETUP)
    for name in ("captive.apple.com", "a.b.c.d.e.test", "x" * 63 + ".test", "."):
        for edns in (False, True):
            query = DNSRecord.question(name, "A")
            if edns:
                query.add_ar(EDNS0(udp_len=1232))
            reply = DNSRecord.parse(_asked(running, query.pack()))
            assert reply.header.id == query.header.id
            assert reply.q == query.q
            (record,) = reply.rr
            assert (QTYPE[record.rtype], str(record.rdata)) == ("A", "127.0.0.1")
            assert record.ttl <= 5
    for kind in ("AAAA", "HTTPS", "TXT"):
        query = DNSRecord.question("captive.apple.com", kind)
        reply = DNSRecord.parse(_asked(running, query.pack()))
        assert reply.header.rcode == 0
        assert reply.rr == []
    for packet in (b"", bytes(600), b"\xff" * 40, query.pack()[:-1], reply.pack()):
        assert _asked(running, packet) is None, packet
    assert _asked(running, query.pack()) is not None


def test_telephones_are_led_to_the_page(open_board):
    running = open_board(ONLY_SETUP)
    host, port = urllib.parse.urlsplit(running.access_point["http"]).netloc.split(":")
    for name, path in (
        ("connectivitycheck.gstatic.com", "/generate_204"),
        ("captive.apple.com", "/hotspot-detect.html"),
        ("www.msftconnecttest.com", "/connecttest.txt"),
        ("detectportal.firefox.com", "/canonical.html"),
    ):
        client = http.client.HTTPConnection(host, int(port), timeout=5)
        client.request("GET", path, headers={"Host": f"{name}:{port}"})
        reply = client.getresponse()
        assert reply.status == 302
        assert reply.headers["Location"] == running.access_point["http"]
        assert reply.read() == b""
        client.close()
    for method, path, status in (
        ("HEAD", "/", 200),
        ("GET", "/favicon.ico", 404),
        ("DELETE", "/", 405),
        ("POST", "/", 403),
    ):
        client = http.client.HTTPConnection(host, int(port), timeout=5)
        client.request(method, path, "t=1" if method == "POST" else None, FORM)
        assert client.getresponse().status == status, method
        client.close()


def test_who_is_slow_or_floods_keeps_nobody_out(open_board):
    running = open_board(ONLY_SETUP)
    address = urllib.parse.urlsplit(running.access_point["http"])
    where = (address.hostname, address.port)
    slow = [socket.create_connection(where, 5) for _ in range(6)]
    for sock in slow:
        with suppress(OSError):  # the first have had to give way
            sock.sendall(b"GET / HTTP/1.1\r\nHost: ")
    began = time.monotonic()
    assert "Wi-Fi" in page_of(running)[0]
    assert time.monotonic() - began < 3
    with socket.create_connection(where, 5) as sock:
        with suppress(OSError):  # it is refused in the middle of it
            sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n")
            for _ in range(64):
                sock.sendall(b"x" * 16384)
        with suppress(OSError):
            assert sock.recv(100).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(where, 9) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 408 "), "after five seconds"
    for sock in slow:
        sock.close()
    with socket.create_connection(where, 5) as half:  # its answer is not given up for others
        half.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        half.sendall(f"GET / HTTP/1.1\r\nHost: {where[0]}\r\n\r\n".encode())
        assert half.recv(4, socket.MSG_WAITALL) == b"HTTP"
        others = [socket.create_connection(where, 5) for _ in range(6)]
        assert b"2.4 GHz" in b"".join(iter(lambda: half.recv(4096), b""))
        for sock in others:
            sock.close()
    assert "Wi-Fi" in page_of(running)[0]
    assert running.state == "boot"
