"""Wi-Fi, sockets, TLS and the time server as an ESP32 has them."""

import datetime
import socket
import ssl
import struct
import threading

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dynreg_tools.virtualboard import Board

# main.py's usual first lines: on Wi-Fi, so that sockets work
JOIN = """
import network, time
w = network.WLAN(network.STA_IF)
w.active(True)
w.connect("lab", "pw")
while not w.isconnected():
    time.sleep_ms(5)
"""


def test_joining_takes_time_and_states(run_main):
    text = run_main(
        "import network, time\n"
        "w = network.WLAN(network.STA_IF)\n"
        "def attempt(*a):\n"
        "    try:\n        w.connect(*a); return 'ok'\n"
        "    except OSError as e:\n        return e.args[0]\n"
        "print(attempt('lab', 'pw'), w.active(True), w.status(), w.isconnected())\n"
        "print(attempt('lab', 'pw'), w.status(), w.isconnected(), w.ifconfig()[0])\n"
        "print(attempt('lab', 'pw'))\n"
        "t = time.ticks_ms()\n"
        "while not w.isconnected(): pass\n"
        "print(100 < time.ticks_diff(time.ticks_ms(), t) < 300, w.status(), w.ifconfig()[0])\n"
        "print(w.scan()[0][0], w.config('ssid'), network.hostname())\n"
        "w.disconnect(); print(w.status(), w.isconnected())\n"
        "print(attempt('lab', 'wrong')); time.sleep_ms(400); print(w.status())\n"
        "print(attempt('lab', 'pw'))\n"
        "w.disconnect(); print(attempt('elsewhere', 'pw'))\n"
        "time.sleep_ms(400); print(w.status())\n"
    )
    assert text.splitlines() == [
        "Wifi Not Started True 1000 False",
        "ok 1001 False 0.0.0.0",
        "Wifi Internal State Error",
        "True 1010 192.168.4.3",
        "b'lab' lab mpy-esp32",
        "1000 False",
        "ok",
        "1001",
        "Wifi Internal State Error",
        "ok",
        "201",
    ]


def test_wifi_outlives_a_soft_reset_only(board):
    board.write_file("/boot.py", "import network\nprint('on', network.WLAN(0).isconnected())\n")
    board.write_file("/main.py", JOIN)
    with board.power_on() as running:
        running.wait_for("on False")
        running.wait_repl()
        running.write("\x04")
        running.wait_for("on True")
        running.reset()
        running.wait_for("on False")


def test_nothing_is_reachable_before_wifi(run_main, echo_server):
    text = run_main(
        "import socket\n"
        f"for f in (lambda: socket.getaddrinfo('127.0.0.1', {echo_server}),\n"
        f"          lambda: socket.socket().connect(('127.0.0.1', {echo_server}))):\n"
        "    try:\n        print(f())\n"
        "    except OSError as e:\n        print(e.errno)\n"
        + JOIN
        + f"print(socket.getaddrinfo('127.0.0.1', {echo_server}, 0, socket.SOCK_STREAM))\n"
        "try:\n    socket.getaddrinfo('no.such.host.invalid', 1)\n"
        "except OSError as e:\n    print(e.errno)\n"
    )
    assert text.splitlines() == [
        "-202",
        "118",
        f"[(2, 1, 0, '', ('127.0.0.1', {echo_server}))]",
        "-202",
    ]


def test_socket_streams_and_errors(run_main, echo_server):
    free = socket.create_server(("127.0.0.1", 0))
    closed = free.getsockname()[1]
    free.close()
    text = run_main(
        JOIN + "import socket\nfrom errno import EAGAIN, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT\n"
        "s = socket.socket()\n"
        f"s.connect(('127.0.0.1', {echo_server}))\n"
        "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "print(s.write(b'line\\nrest'), s.readline(), s.read(4), s.send(b'xyz'), s.recv(9))\n"
        "b = bytearray(2); s.sendall(b'ab'); print(s.readinto(b), b, s.makefile('rwb') is s)\n"
        "s.settimeout(0)\n"
        "print(s.read(1))\n"
        "try:\n    s.recv(1)\nexcept OSError as e:\n    print(e.errno == EAGAIN)\n"
        "s.settimeout(0.05)\n"
        "for f in (lambda: s.recv(1), lambda: s.read(1), lambda: s.readinto(b)):\n"
        "    try:\n        f()\n    except OSError as e:\n        print(e.errno)\n"
        "s.close()\n"
        "try:\n    s.write(b'x')\nexcept OSError as e:\n    print(e.errno)\n"
        f"try:\n    socket.socket().connect(('127.0.0.1', {closed}))\n"
        "except OSError as e:\n    print(e.errno == ECONNREFUSED)\n"
        "print(hasattr(s, 'recv_into'), ETIMEDOUT, EHOSTUNREACH)\n"
    )
    assert text.splitlines() == [
        "9 b'line\\n' b'rest' 3 b'xyz'",
        "2 bytearray(b'ab') True",
        "None",
        "True",
        "116",
        "116",
        "116",
        "9",
        "True",
        "False 116 118",
    ]


def test_setblocking_drops_the_timeout(board, silent_server):
    board.write_file(
        "/main.py",
        JOIN + "import socket\ns = socket.socket()\n"
        f"s.connect(('127.0.0.1', {silent_server}))\n"
        "s.settimeout(0.1)\ns.setblocking(True)\nprint('reads')\ns.read(1)\nprint('came back')\n",
    )
    with board.power_on() as running:
        running.wait_for("reads")
        with pytest.raises(TimeoutError):
            running.wait_for("came back", 0.6)
        running.write("\x03")
        running.wait_for("KeyboardInterrupt")


def test_listening_and_datagrams(run_main):
    text = run_main(
        JOIN + "import socket\n"
        "l = socket.socket(); l.bind(('', 0)) ; l.close()\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 40123))\n"
        "print(u.sendto(b'hey', ('127.0.0.1', 40123)), u.recvfrom(9))\n"
    )
    assert text.splitlines() == ["3 (b'hey', ('127.0.0.1', 40123))"]


def test_poll_waits_for_sockets(run_main, echo_server):
    text = run_main(
        JOIN + "import socket, select\n"
        "s = socket.socket()\n"
        f"s.connect(('127.0.0.1', {echo_server}))\n"
        "p = select.poll(); p.register(s, select.POLLIN)\n"
        "t = time.ticks_ms(); print(p.poll(60), time.ticks_diff(time.ticks_ms(), t) >= 55)\n"
        "s.write(b'x'); e = p.poll(1000); print(e[0][0] is s, e[0][1])\n"
    )
    assert text.splitlines() == ["[] True", "True 1"]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls_server(authority):
    """A TLS echo server for the name hub.local, valid around now; its port."""
    now = datetime.datetime.now(datetime.UTC)
    leaf = authority.issue_cert(
        "hub.local",
        not_before=now - datetime.timedelta(days=1),
        not_after=now + datetime.timedelta(days=30),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)

    def serve():
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            plain.settimeout(5)
            try:
                with context.wrap_socket(plain, server_side=True) as sock:
                    while data := sock.recv(4096):
                        if data != b"silence":
                            sock.sendall(data)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def der(authority):
    pem = authority.cert_pem.bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


TLS = (
    JOIN
    + """
import socket, tls, machine, io
def ctx():
    c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    c.verify_mode = tls.CERT_REQUIRED
    c.load_verify_locations(open('/ca.der', 'rb').read())
    return c
def link():
    s = socket.socket(); s.connect(('127.0.0.1', PORT)); return s
def attempt(c=None, wrap=lambda s: s, host='hub.local'):
    s = link()
    try:
        return (c or ctx()).wrap_socket(wrap(s), server_hostname=host)
    except (OSError, ValueError) as e:
        s.close()
        return repr(e)
def clock(year):
    t = time.gmtime(NOW)
    machine.RTC().datetime((year or t[0], t[1], t[2], 0, t[3], t[4], t[5], 0))
"""
)


@pytest.fixture
def run_tls(board, run_main, authority, tls_server):
    board.write_file("/ca.der", der(authority))
    now = int(datetime.datetime.now(datetime.UTC).timestamp()) - 946684800
    head = TLS.replace("PORT", str(tls_server)).replace("NOW", str(now))
    return lambda source, **options: run_main(head + source, **options)


def test_certificate_dates_are_judged_by_the_rtc(run_tls):
    text = run_tls(
        "print(attempt()); clock(2090); print(attempt()); clock(0)\n"
        "s = attempt(); s.write(b'hello'); print(s.read(5)); s.close()\n"
        "machine.RTC().datetime((2000, 1, 1, 0, 0, 0, 0, 0))\n"
        "c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT); c.verify_mode = tls.CERT_NONE\n"
        "s = attempt(c); s.write(b'free'); print(s.read(4), c.verify_mode)\n"
    )
    assert text.splitlines() == [
        "ValueError('The certificate validity starts in the future\\n',)",
        "ValueError('The certificate validity has expired\\n',)",
        "b'hello'",
        "b'free' 0",
    ]


def test_tls_refusals_of_mbedtls_stay(run_tls):
    text = run_tls(
        "clock(0)\nprint(attempt(host='other.local'))\n"
        "c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\nprint(attempt(c))\n"
    )
    wrong_name, no_authority = text.split("OSError")
    assert "ValueError" in wrong_name
    assert "CN" in wrong_name
    assert "-30336" in no_authority


def test_own_verify_callback_is_called(run_tls):
    text = run_tls(
        "clock(0)\nc = ctx()\nseen = []\n"
        "c.verify_callback = lambda cert, depth: seen.append(depth) or 0\n"
        "s = attempt(c); s.write(b'hi'); print(s.read(2), sorted(seen))\n"
    )
    assert text.startswith("b'hi' [0, ")


def test_python_stream_below_tls(run_tls):
    text = run_tls(
        "clock(0)\n"
        "class Below(io.IOBase):\n"
        "    def __init__(self, sock): self.sock = sock; self.got = 0\n"
        "    def readinto(self, b): n = self.sock.readinto(b); self.got += n; return n\n"
        "    def write(self, b): return self.sock.write(b)\n"
        "    def ioctl(self, r, a): return self.sock.ioctl(r, a)\n"
        "    def setblocking(self, f): print('asked', f)\n"
        "seen = []\n"
        "def wrap(s):\n    seen.append(Below(s)); return seen[0]\n"
        "s = attempt(None, wrap); s.write(b'deep'); print(s.read(4), seen[0].got > 500)\n"
        "s.setblocking(True)\n"
    )
    assert text.splitlines() == ["b'deep' True", "asked True"]


def test_timeouts_and_poll_through_tls(run_tls):
    text = run_tls(
        "import select\nclock(0)\nraw = []\n"
        "s = attempt(None, lambda x: raw.append(x) or x)\n"
        "p = select.poll(); p.register(s, select.POLLIN)\n"
        "print(p.poll(50)); s.write(b'x'); print(p.poll(2000)[0][1], s.read(1))\n"
        "s.write(b'silence')\nraw[0].settimeout(0.1)\n"
        "try:\n    s.read(1)\nexcept OSError as e:\n    print(e.errno)\n"
        "s.close()\n"
    )
    assert text.splitlines() == ["[]", "1 b'x'", "116"]


def test_setblocking_through_tls_drops_the_timeout(board, run_tls):
    with pytest.raises(TimeoutError, match="at the read"):
        run_tls(
            "clock(0)\nraw = []\ns = attempt(None, lambda x: raw.append(x) or x)\n"
            "raw[0].settimeout(0.1)\ns.setblocking(True)\ns.write(b'silence')\n"
            "print('at the read'); s.read(1)\n",
            timeout=4,
        )


def test_ssl_and_psk_attributes(run_main):
    text = run_main(
        "import ssl, ussl, tls\n"
        "print(ussl is ssl, ssl.CERT_NONE, hasattr(ssl, 'wrap_socket'))\n"
        "c = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
        "c.psk_identity = 'me'; c.psk_key = b'key'; print(c.psk_identity, c.psk_key)\n"
        "print(len(c.get_ciphers()) > 5, c.verify_mode)\n"
        "import sys\nsys.modules['tls'] = 5\nimport tls\nprint(tls)\ndel sys.modules['tls']\n"
        "import tls\nprint(tls.SSLContext is type(c))\n"
    )
    assert text.splitlines() == ["True 0 True", "me b'key'", "True 2", "5", "True"]


@pytest.fixture
def ntp_server():
    """Answers one NTP question after the other with 2026-11-24 10:20:30; its address."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(20)
    stamp = 2208988800 + int(
        datetime.datetime(2026, 11, 24, 10, 20, 30, tzinfo=datetime.UTC).timestamp()
    )

    def serve():
        while True:
            try:
                question, peer = server.recvfrom(99)
            except OSError:
                return
            if not question:
                return
            if len(question) == 48 and question[0] & 7 == 3:
                server.sendto(b"\x24" + bytes(39) + struct.pack("!I", stamp) + bytes(4), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield server.getsockname()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", server.getsockname())
    thread.join()
    server.close()


def test_ntptime_sets_the_clock(tmp_path, ntp_server):
    board = Board.new(tmp_path / "b", wifi={"lab": "pw"}, ntp=ntp_server)
    board.write_file(
        "/main.py",
        JOIN + "import ntptime\nntptime.host = 'ntp.example'; ntptime.timeout = 2\n"
        "print(ntptime.time())\nntptime.settime()\nprint(time.localtime()[:5])\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        assert "848830830\r\n(2026, 11, 24, 10, 20)\r\n" in running.output


@pytest.mark.parametrize("server", [None, "closed"])
def test_ntptime_without_a_server(tmp_path, server):
    if server:
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.bind(("127.0.0.1", 0))
        server = probe.getsockname()
        probe.close()
    board = Board.new(tmp_path / "b", wifi={"lab": "pw"}, ntp=server)
    board.write_file(
        "/main.py",
        "import ntptime\nntptime.timeout = 0.1\n"
        "def ask():\n    try:\n        print(ntptime.time())\n"
        "    except OSError as e:\n        print('errno', e.errno)\n"
        "ask()\n" + JOIN + "ask()\n",
    )
    with board.power_on() as running:
        running.wait_repl()
        assert "errno -202\r\nerrno 116\r\n" in running.output
