"""TLS-PSK: the device's own key, and the verified certificate where a broker turns it down."""

import json

import canaries
import fakes
import packets
from dynreg import port
from dynreg.connect import first_clock
from dynreg.errors import CertificateError, LoginError, NetworkError, ProtocolError
from dynreg.storage import notes
from registered import GOOD, NOW, Board


def test_psk_is_the_devices_own_key_under_its_client_id():
    board = Board(fakes.Peer(GOOD))
    session = board.boot().connect()
    assert board.handshakes == ["psk"] and session.tls == "psk"
    assert board.pair[0] == b"ABCDEFGHIJdev-01"
    from binascii import a2b_base64

    assert board.pair[1] == a2b_base64(canaries.DEVICE_SECRET)
    assert json.loads(board.device.report()[8:])["tls"] == "psk"
    assert "CONNACK 0, psk" in board.words()


def test_with_psk_no_clock_is_needed():
    asked = []
    fakes.replace(first_clock, "find", lambda *info: asked.append(info))
    board = Board(fakes.Peer(GOOD), unix=None)
    assert board.boot().connect().tls == "psk" and asked == []


def test_psk_turned_down_is_followed_by_the_verified_certificate_at_once():
    for fault in (
        NetworkError("network.tls", "alert"),
        NetworkError("network.closed", "reset"),
        CertificateError("certificate", "a server that took another suite"),
        NetworkError("network.clock", "the same without a clock"),
    ):
        first, second = fakes.Peer(), fakes.Peer(GOOD)
        board = Board(first, second)
        board.faults = [fault]
        session = board.boot().connect()
        assert board.handshakes == ["psk", "certificate"] and session.tls == "verified-ca"
        assert first.sent == b"" and first.closed, "nothing went to whom was not proved"
        assert board.clock.passed == 0
        fakes.restore()


def test_psk_broken_by_somebody_gains_nothing():
    # Whoever breaks the PSK handshake meets the certificate's, and that one fails.
    peers = fakes.Peer(), fakes.Peer()
    board = Board(*peers, fakes.Peer(GOOD))
    board.faults = [NetworkError("network.tls", "alert"), CertificateError("certificate", "no")]
    device = board.boot()
    fakes.raises(CertificateError, device.connect, code="certificate")
    assert [peer.sent for peer in peers] == [b"", b""]
    assert notes.read(board.path)["psk"] == 0, "nothing was proved, nothing is remembered"


def test_a_line_that_is_down_is_no_reason_to_leave_psk():
    for fault in (
        NetworkError("network.timeout", "no answer in time"),
        NetworkError("network.connect", "refused"),
    ):
        board = Board(fakes.Peer(), fakes.Peer(GOOD))
        board.faults = [fault]
        device = board.boot()
        fakes.raises(NetworkError, device.connect, code=fault.code)
        assert board.handshakes == ["psk"]
        assert device.connect().tls == "psk"
        fakes.restore()


def test_that_psk_was_turned_down_is_remembered_and_doubted_once_in_16():
    board = Board(*[fakes.Peer(GOOD) for _ in range(5)])
    board.faults = [NetworkError("network.tls", "alert")]
    board.boot().connect()
    assert notes.read(board.path)["psk"] == 1
    board.boot().connect()
    assert board.handshakes == ["psk", "certificate", "certificate"]
    fakes.random(b"\x0f")
    assert board.boot().connect().tls == "psk"
    assert notes.read(board.path)["psk"] == 0


def test_a_runtime_without_psk_uses_the_certificate():
    board = Board(fakes.Peer(GOOD), psk=False)
    assert board.boot().connect().tls == "verified-ca" and board.handshakes == ["certificate"]
    assert notes.read(board.path)["psk"] == 0


def test_psk_or_nothing():
    endpoint = {"mqtt": "mqtts+psk://hub.local"}
    board = Board(fakes.Peer(GOOD), endpoint=endpoint)
    assert board.boot().connect().tls == "psk"
    fakes.restore()
    board = Board(fakes.Peer(), fakes.Peer(GOOD), endpoint=endpoint)
    board.faults = [NetworkError("network.tls", "alert")]
    fakes.raises(CertificateError, board.boot().connect, code="certificate.psk", retry=900)
    assert board.handshakes == ["psk"]
    fakes.restore()
    board = Board(fakes.Peer(GOOD), endpoint=endpoint, psk=False)
    fakes.raises(CertificateError, board.boot().connect, code="certificate.psk")
    assert board.handshakes == [] and board.net.sockets == []


def _connect(peer):
    """(flags, how often a length and a text follow, the texts) of the CONNECT that a peer got."""
    data = packets.split(peer.sent)[0]
    body = data[2:] if data[1] < 128 else data[3:]
    assert data[0] == 0x10 and body[:7] == b"\0\4MQTT\4", data
    texts, at = [], 10
    while at < len(body):
        size = body[at] << 8 | body[at + 1]
        texts.append(body[at + 2 : at + 2 + size])
        at += 2 + size
    assert at == len(body), "lengths and texts fill the packet"
    return body[7], texts


def test_under_psk_the_connect_has_a_user_name_and_no_password():
    for keepalive in (0, 60, 900):
        peer = fakes.Peer(GOOD)
        board = Board(peer)
        board.boot().connect(keepalive)
        flags, texts = _connect(peer)
        assert flags == 0x82 and len(texts) == 2, (flags, texts)
        assert texts[0] == b"ABCDEFGHIJdev-01"
        assert texts[1].startswith(b"ABCDEFGHIJdev-01;12010126;")
        assert b"\x04\x82" + keepalive.to_bytes(2, "big") in peer.sent
        fakes.restore()


def test_by_certificate_the_connect_has_a_password():
    peer = fakes.Peer(GOOD)
    Board(peer, psk=False).boot().connect()
    flags, texts = _connect(peer)
    assert flags == 0xC2 and texts[2].endswith(b";hmacsha256"), flags


def test_a_session_over_psk_publishes_pings_and_disconnects():
    peer = fakes.Peer(packets.CONNACK)
    board = Board(peer, early=False)
    session = board.boot().connect(keepalive=60)
    session.publish("event", b"x")
    peer.expect(packets.PINGRESP)
    session.poll(30000)
    session.disconnect()
    kinds = [data[0] for data in packets.split(peer.sent)]
    assert kinds == [0x10, 0x30, 0xC0, 0xE0], kinds


def test_what_is_no_connack_under_psk():
    for data in (b"\x20\x03\0\0", b"HTTP"):
        peer = fakes.Peer(data)
        board = Board(peer, early=False)
        fakes.raises(ProtocolError, board.boot().connect, code="protocol.reply", retry=900)
        assert peer.closed
        fakes.restore()


def test_a_login_refused_over_psk_is_tried_by_certificate_with_password_before_it_counts():
    for code in (4, 5):
        first, second = fakes.Peer(packets.connack(code)), fakes.Peer(GOOD)
        board = Board(first, second, *[fakes.Peer(GOOD)])
        device = board.boot()
        assert device.connect().tls == "verified-ca"
        assert board.handshakes == ["psk", "certificate"] and first.closed
        assert _connect(second)[0] == 0xC2
        assert second.met - first.met == 5000, "the cloud takes one connect per 5 s"
        assert device.history["refusals"] == 0
        assert notes.read(board.path)["psk"] == 1, "what worked is remembered"
        board.boot().connect()
        assert board.handshakes[2:] == ["certificate"]
        fakes.restore()


def test_a_login_refused_both_ways_counts_once_and_nothing_is_remembered():
    board = Board(fakes.Peer(packets.connack(5)), fakes.Peer(packets.connack(4)))
    device = board.boot()
    fakes.raises(LoginError, device.connect, code="login.4", retry=True)
    assert board.handshakes == ["psk", "certificate"]
    assert device.history["refusals"] == 1 and notes.read(board.path)["psk"] == 0


def test_a_login_refused_over_psk_never_goes_below_the_verified_certificate():
    second = fakes.Peer()
    board = Board(fakes.Peer(packets.connack(4)), second)
    board.faults = [None, CertificateError("certificate", "no")]
    fakes.raises(CertificateError, board.boot().connect, code="certificate")
    assert second.sent == b"" and second.closed


def test_psk_or_nothing_takes_a_refused_login_as_it_is():
    board = Board(fakes.Peer(packets.connack(5)), endpoint={"mqtt": "mqtts+psk://hub.local"})
    device = board.boot()
    fakes.raises(LoginError, device.connect, code="login.5")
    assert board.handshakes == ["psk"] and device.history["refusals"] == 1


def test_other_refusals_over_psk_are_the_logins_own_fault():
    for code in (1, 2, 3):
        board = Board(fakes.Peer(packets.connack(code)))
        fakes.raises(LoginError, board.boot().connect, code=f"login.{code}")
        assert board.handshakes == ["psk"]
        fakes.restore()


def test_without_a_clock_the_first_time_source_is_asked_before_the_certificate():
    found = []

    def find(connect, info, day, but):
        found.append(day)
        port.set_rtc(NOW)
        return True

    board = Board(fakes.Peer(GOOD), unix=None, psk=False)
    fakes.replace(first_clock, "find", find)
    board.boot().connect()
    assert found == [0]
