"""A login: CONNECT byte by byte, where it goes, what a broker answers."""

from binascii import a2b_base64

import canaries
import fakes
import packets
from broker import Bench
from dynreg import port
from dynreg.connect.login import signed
from dynreg.errors import LoginError, NetworkError, ProtocolError


def _login(connid, expiry=fakes.NOW + 3600):
    return signed("ABCDEFGHIJdev-01", a2b_base64(canaries.DEVICE_SECRET), f"{connid};{expiry}")


def _expiry(peer):
    """The last part of the user name that a peer was sent."""
    sent = peer.segments[0]
    start = sent.index(b";12010126;") + 16
    return int(sent[start : start + 10])


def test_connect_is_exactly_these_bytes_in_one_segment():
    for keepalive in (0, 60, 900):
        bench = Bench(fakes.Peer(packets.CONNACK), keepalive=keepalive)
        fakes.random(b"\x00\x1a\x3d\x3e\xff")
        bench.session.connect()
        user, password = _login("Aa9AH")
        assert user == f"ABCDEFGHIJdev-01;12010126;Aa9AH;{fakes.NOW + 3600}"
        assert bench.peer.segments == [
            packets.connect("ABCDEFGHIJdev-01", user, password, keepalive)
        ], keepalive
        assert password[:64] not in bench.words()
        fakes.restore()


def test_where_connect_goes():
    for url, address, tls in (
        ("mqtts://hub.local", ("hub.local", 8883), "verified-ca"),
        ("mqtts://hub.local:18883", ("hub.local", 18883), "verified-ca"),
        ("mqtt://hub.local", ("hub.local", 1883), "plain"),
    ):
        bench = Bench(fakes.Peer(packets.CONNACK), url=url)
        assert bench.session.connected is False
        bench.session.connect()
        assert bench.session.connected is True
        assert bench.peer.address == address
        assert bench.session.tls == tls
        assert ("not encrypted" in bench.words()) is (tls == "plain")
        fakes.restore()


def test_the_user_name_is_good_for_an_hour_and_without_a_clock_until_2038():
    y2038 = 2147483647
    for unix, expiry in (
        (fakes.NOW, fakes.NOW + 3600),
        (None, y2038),
        (y2038 - 1, y2038 + 3599),
        (y2038 + 1, y2038 + 3601),
        (y2038 + 86400 * 365, y2038 + 86400 * 365 + 3600),
    ):
        bench = Bench(fakes.Peer(packets.CONNACK), url="mqtt://hub.local")  # wants no clock
        fakes.replace(port, "unix_time", lambda unix=unix: unix or 0)
        bench.session.connect()
        assert _expiry(bench.peer) == expiry, unix
        fakes.restore()


def test_after_a_refusal_the_clock_is_not_trusted_and_after_the_next_it_is():
    peers = [fakes.Peer(packets.connack(4)) for _ in range(3)]
    bench = Bench(*peers)
    for _ in peers:
        fakes.raises(LoginError, bench.session.connect, code="login.4")
    assert [_expiry(peer) for peer in peers] == [fakes.NOW + 3600, 2147483647, fakes.NOW + 3600]


def test_each_connect_has_a_user_name_of_its_own_and_closes_the_last():
    first, second = fakes.Peer(packets.CONNACK), fakes.Peer(packets.CONNACK)
    bench = Bench(first, second)
    bench.session.connect()
    assert not first.closed
    bench.session.connect()
    assert first.closed and not second.closed
    assert first.sent != second.sent


def test_refused_logins():
    words = {1: "protocol version", 2: "client id", 3: "credentials", 4: "password", 5: "authori"}
    for code in (1, 2, 3, 4, 5, 6, 255):
        bench = Bench(fakes.Peer(packets.connack(code)))
        retry = True if code > 2 else 900  # a fault of the moment, perhaps
        error = fakes.raises(LoginError, bench.session.connect, code=f"login.{code}", retry=retry)
        assert words.get(code, "unknown") in str(error)
        assert bench.peer.closed and bench.session.connected is False
        assert len(bench.net.sockets) == 1
        fakes.restore()


def test_what_is_no_connack():
    for data in (b"\x20\x03\0\0", b"\x30\x02\0\0", b"HTTP", b"\0\0\0\0"):
        bench = Bench(fakes.Peer(data))
        says = "is it the right port"
        fakes.raises(ProtocolError, bench.session.connect, code="protocol.reply", says=says)
        assert bench.peer.closed and bench.session.connected is False
        fakes.restore()


def test_no_connack():
    for answer, code in ((None, "network.timeout"), (fakes.END, "network.closed")):
        bench = Bench(fakes.Peer(answer))
        says = "is it the right port" if answer else ""
        fakes.raises(NetworkError, bench.session.connect, code=code, says=says)
        assert bench.peer.closed and bench.session.connected is False
        assert bench.clock.passed == (10000 if answer is None else 0)
        fakes.restore()


def test_half_a_connack():
    for size in (1, 2, 3):
        bench = Bench(fakes.Peer([(0, packets.CONNACK[:size]), (10, fakes.END)]))
        fakes.raises(NetworkError, bench.session.connect, code="network.closed")
        fakes.restore()
