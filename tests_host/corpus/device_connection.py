"""The way to the broker: TLS-PSK, what comes after it, the early request, what is remembered."""

import json

import canaries
import fakes
import gateway
import packets
from broker import ASK, REQUEST, RESULT
from dynreg import Device, port
from dynreg.connect import first_clock, login, tls, trust
from dynreg.errors import CertificateError, LoginError, NetworkError, ProtocolError
from dynreg.storage import notes, store

NOW = fakes.NOW * 1000
OTHER = "b3RoZXItc2VjcmV0LW90aGVy"
EARLY = packets.subscribe(1, RESULT) + packets.publish(ASK, REQUEST)
TIME = packets.publish(
    RESULT, b'{"type":"get","time":%d,"ntptime1":%d,"ntptime2":%d}' % (fakes.NOW, NOW, NOW)
)
GOOD = packets.CONNACK + packets.suback(1) + TIME


class Board:
    """A registered board before peers. handshakes: what each presented, "psk" or "certificate";
    faults: what each does instead of succeeding, an exception or None.
    """

    def __init__(self, *peers, unix=NOW, psk=True, **changes):
        self.clock = fakes.Clock(unix)
        self.net = fakes.network(self.clock, *peers)
        self.log = fakes.log_lines()
        self.handshakes = []
        self.faults = []
        fakes.module("network", None)
        fakes.module("esp32", None)
        fakes.module("ntptime", None)
        if psk:
            fakes.replace(tls, "psk_context", lambda *pair: ("psk", pair))
        fakes.replace(trust, "context", lambda *certificates: ("certificate", None))
        fakes.replace(tls, "handshake", self._handshake)
        fakes.random(b"\xff")
        secret = {"deviceSecret": canaries.DEVICE_SECRET}
        changes.setdefault("early", None)
        self.path = fakes.device_info(key_deviceinfo=secret, **changes)

    def _handshake(self, wire, host, context):
        kind, self.pair = context
        self.handshakes.append(kind)
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault
        return wire

    def words(self):
        return "\n".join(text for _, text in self.log)

    def boot(self):
        """A Device as after a reset."""
        self.device = Device(self.path)
        return self.device


# --- TLS-PSK ------------------------------------------------------------------------------------


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


# --- the early request --------------------------------------------------------------------------


def test_the_time_is_asked_for_behind_the_connect_in_one_segment():
    peer = fakes.Peer([(300, GOOD)])
    board = Board(peer)
    device = board.boot()
    device.connect()
    assert len(peer.segments) == 1 and peer.segments[0].endswith(EARLY)
    assert packets.split(peer.sent)[0][0] == 0x10 and len(packets.split(peer.sent)) == 3
    assert device.sync_clock() == NOW + 150, "half of the round trip, as for a request of its own"
    assert peer.segments[1:] == [] and board.clock.passed == 300
    assert "behind the CONNECT" in board.words()


def test_a_program_that_dawdles_gets_the_right_time_all_the_same():
    board = Board(fakes.Peer([(300, GOOD)]))
    device = board.boot()
    device.connect()
    board.clock.sleep_ms(7000)
    assert device.sync_clock() == NOW + 150 + 7000


def test_a_reply_that_comes_after_the_rest_is_timed_by_its_own_arrival():
    board = Board(fakes.Peer([(300, packets.CONNACK + packets.suback(1)), (1000, TIME)]))
    device = board.boot()
    device.connect()
    assert device.sync_clock() == NOW + 500


def test_the_second_time_needs_no_second_subscribe():
    peer = fakes.Peer(GOOD, TIME)
    board = Board(peer)
    device = board.boot()
    device.connect()
    device.sync_clock()
    device.sync_clock()
    assert peer.segments[1:] == [packets.publish(ASK, REQUEST)]


def test_a_program_that_polls_before_it_asks_gets_the_time_by_a_request_of_its_own():
    peer = fakes.Peer(GOOD, TIME)
    board = Board(peer)
    device = board.boot()
    session = device.connect()
    session.poll(1000)
    assert device.sync_clock() == NOW
    assert peer.segments[1] == packets.publish(ASK, REQUEST)
    assert board.clock.passed == 1000 and notes.read(board.path)["early"] == 0


def test_early_can_be_switched_off():
    peer = fakes.Peer(packets.CONNACK, packets.suback(1) + TIME)
    board = Board(peer, early=False)
    device = board.boot()
    device.connect()
    device.sync_clock()
    assert len(peer.segments) == 2 and peer.segments[1] == EARLY


def _plain():
    return fakes.Peer(packets.CONNACK, packets.suback(1) + TIME)


def _asked_early(peer):
    return peer.segments[0].endswith(EARLY)


def test_a_broker_that_ends_the_connection_over_it_costs_a_reconnect_twice_and_is_remembered():
    for answer in (fakes.END, b"\x00\x00\x00\x00", None):
        peers = fakes.Peer(answer), _plain(), fakes.Peer(answer), _plain(), _plain()
        board = Board(*peers)
        for boot in range(2):
            began = board.clock.passed
            device = board.boot()
            device.connect(attempts=2)
            assert board.clock.passed - began < 60000, "soon, whatever the answer was"
            device.sync_clock()
            assert len(board.net.sockets) == 2 + 2 * boot
        board.boot().connect()
        assert [_asked_early(peer) for peer in peers] == [True, False, True, False, False]
        assert peers[1].segments[1] == EARLY, "nothing was sent before the CONNACK"
        fakes.restore()


def test_one_lost_connection_turns_no_early_request_down():
    peers = fakes.Peer(fakes.END), _plain(), fakes.Peer(GOOD), fakes.Peer(fakes.END), _plain()
    board = Board(*peers, fakes.Peer(GOOD))
    board.boot().connect(attempts=2)
    assert notes.read(board.path)["early"] == 1, "a suspicion"
    board.boot().connect()
    assert _asked_early(peers[2])
    assert notes.read(board.path)["early"] == 0, "which was wrong"
    board.boot().connect(attempts=2)
    assert notes.read(board.path)["early"] == 1, "so the next one is a first one again"


def test_an_early_request_turned_down_is_tried_again_once_in_16_boots():
    peers = _plain(), fakes.Peer(fakes.END), _plain(), fakes.Peer(GOOD), fakes.Peer(GOOD)
    board = Board(*peers)
    notes.write(board.path, {"day": fakes.NOW // 86400, "psk": 0, "early": 2})
    for chance, attempts in ((b"\x10", 1), (b"\x0f", 2), (b"\x00", 1), (b"\xff", 1)):
        fakes.random(chance)
        board.boot().connect(attempts=attempts)
    asked = [_asked_early(peer) for peer in peers]
    assert asked == [False, True, False, True, True]
    assert notes.read(board.path)["early"] == 0


def test_whatever_comes_between_handshake_and_connect_the_socket_is_closed():
    peer = fakes.Peer()
    board = Board(peer)

    def no_memory(*_):
        raise MemoryError

    fakes.replace(login, "hmac", no_memory)
    try:
        board.boot().connect()
        raise AssertionError("nothing raised")
    except MemoryError:
        assert peer.closed == 1 and not peer.segments


def test_an_early_request_turned_down_is_remembered_over_a_connection_that_fails():
    good = fakes.Peer(packets.CONNACK)
    board = Board(fakes.Peer(fakes.END), fakes.Peer(fault=OSError(111)), good)
    notes.write(board.path, {"day": 0, "psk": 0, "early": 2})
    board.boot().connect(attempts=3)
    assert len(packets.split(good.segments[0])) == 1
    assert notes.read(board.path)["early"] == 2


def test_a_broker_that_overlooks_it_is_asked_again_on_the_same_connection():
    for answer in (packets.CONNACK, packets.CONNACK + packets.suback(1)):
        peer = fakes.Peer(answer, packets.suback(1) + packets.suback(2) + TIME)
        board = Board(peer)
        device = board.boot()
        device.connect()
        assert device.sync_clock(), "answered in the end"
        assert len(board.net.sockets) == 1 and board.clock.passed <= 5000
        assert notes.read(board.path)["early"] == 2
        fakes.restore()


def test_a_connection_that_fails_twice_does_not_turn_the_early_request_down():
    good = fakes.Peer(GOOD)
    board = Board(fakes.Peer(fakes.END), fakes.Peer(fakes.END), good)
    device = board.boot()
    device.connect(attempts=3)
    assert len(packets.split(good.segments[0])) == 3
    assert notes.read(board.path)["early"] == 0


# --- what is remembered -------------------------------------------------------------------------


def test_the_day_is_kept_once_a_day():
    written = []
    board = Board(*[fakes.Peer(GOOD, TIME) for _ in range(3)])
    write = notes.write

    def counted(path, history):
        written.append(dict(history))
        write(path, history)

    fakes.replace(notes, "write", counted)
    for _ in range(2):
        device = board.boot()
        device.connect()
        device.sync_clock()
        device.sync_clock()
    assert len(written) == 1 and notes.read(board.path)["day"] == fakes.NOW // 86400


def test_a_day_that_was_wrong_is_put_right():
    board = Board(fakes.Peer(GOOD))
    notes.write(board.path, {"day": 40000, "psk": 0, "early": 0})
    device = board.boot()
    device.connect()
    device.sync_clock()
    assert notes.read(board.path)["day"] == fakes.NOW // 86400


def test_notes_in_nvs_and_in_a_file_and_where_nothing_can_be_kept():
    path = fakes.folder() + "/device_info.json"
    blank = notes.read(path)
    assert (blank["day"], blank["psk"], blank["early"]) == (0, 0, 0)
    for place in ("file", "NVS"):
        if place == "NVS":
            nvs = fakes.nvs()
            assert notes.read(path)["day"] == 0
        notes.write(path, {"day": 20000, "psk": 1, "early": 1})
        kept = notes.read(path)
        assert (kept["day"], kept["psk"], kept["early"]) == (20000, 1, 1), place
    nvs.dead = OSError(-4353)
    lines = fakes.log_lines()
    notes.write(path, {"day": 20001, "psk": 1, "early": 1})
    assert "not kept" in lines[-1][1] and notes.read(path)["day"] == 0
    fakes.restore()
    fakes.module("esp32", None)
    path = fakes.folder() + "/device_info.json"
    for data in (b"", b"\xff", b"\xff" * 4, b"\xff" * 400):
        fakes.write(path.rsplit("/", 1)[0] + "/dynreg.notes", data)
        notes.read(path)


# --- a day later --------------------------------------------------------------------------------


def _online(*answers):
    board = Board(fakes.Peer(GOOD, *answers))
    device = board.boot()
    session = device.connect(keepalive=0)
    device.sync_clock()
    return board, session


def test_the_clock_is_set_again_once_a_day():
    board, session = _online(TIME, TIME)
    peer = board.net.sockets[0]._peer
    for _ in range(23):
        session.poll(3600000)
    assert len(peer.segments) == 1 and len(board.clock.settings) == 1
    session.poll(3600001)
    assert len(peer.segments) == 2 and len(board.clock.settings) == 2
    for _ in range(24):
        session.poll(3600000)
    session.poll(1000)
    assert len(board.clock.settings) == 3 and session.connected is True


def test_a_daily_time_that_does_not_come_ends_nothing():
    board, session = _online()
    session.poll(86400000)
    session.poll(1)
    assert session.connected is True and len(board.clock.settings) == 1
    assert "time: " in board.log[-1][1], board.log[-1]


# --- a broker that tells no time ----------------------------------------------------------------


def _silent_board(*peers):
    """A board whose last boot has waited for the time in vain."""
    board = Board(fakes.Peer(packets.CONNACK, packets.suback(1)), *peers, early=False)
    device = board.boot()
    device.connect()
    fakes.raises(NetworkError, device.sync_clock, code="network.timeout")
    return board


def test_a_broker_that_never_tells_the_time_costs_nothing_at_the_next_boot():
    peer = fakes.Peer(packets.CONNACK)
    board = _silent_board(peer)
    assert board.clock.passed == 10000
    device = board.boot()
    session = device.connect(keepalive=0)
    fakes.raises(NetworkError, device.sync_clock, code="network.timeout", retry=True)
    assert board.clock.passed == 10000 and len(peer.segments) == 1
    session.poll(0)
    assert board.clock.passed == 10000 and peer.segments[1] == EARLY, "it is asked all the same"
    session.poll(3000000)
    assert len(peer.segments) == 2, "and not over and over"


def test_the_time_of_a_broker_that_tells_it_after_all_is_taken_in_poll():
    peer = fakes.Peer(packets.CONNACK, packets.suback(1) + TIME)
    board = _silent_board(peer)
    device = board.boot()
    session = device.connect()
    fakes.raises(NetworkError, device.sync_clock, code="network.timeout")
    session.poll(0)
    session.poll(0)
    assert len(board.clock.settings) == 1
    assert device.state()["clock_uncertainty_ms"] == 2
    assert notes.read(board.path)["early"] == 0


def test_who_asks_again_waits_for_no_broker_that_tells_no_time():
    peer = fakes.Peer(packets.CONNACK)
    board = _silent_board(peer)
    device = board.boot()
    session = device.connect(keepalive=0)
    began = board.clock.passed
    for ms, requests in ((5000, 1), (4000, 1), (2000, 1), (1000, 2)):
        fakes.raises(NetworkError, device.sync_clock, code="network.timeout")
        session.poll(ms)
        assert len(peer.segments) == 1 + requests, "one on its way has 10 s"
    assert board.clock.passed - began == 12000
    peer.say(packets.suback(2) + TIME)
    session.poll(0)
    peer.expect(TIME)
    assert device.sync_clock() == NOW, "no longer the broker that it was"
    assert notes.read(board.path)["early"] == 0


def test_a_broker_that_tells_no_time_is_asked_once_a_day():
    peer = fakes.Peer(packets.CONNACK)
    board = _silent_board(peer)
    device = board.boot()
    session = device.connect(keepalive=0)
    fakes.raises(NetworkError, device.sync_clock, code="network.timeout")
    for _ in range(50):
        session.poll(3600000)
    assert len(peer.segments) == 1 + 3


def test_who_asks_again_at_the_same_boot_waits_and_gets_the_time():
    peer = fakes.Peer(packets.CONNACK, packets.suback(1), packets.suback(2) + TIME)
    board = Board(peer, early=False)
    device = board.boot()
    device.connect()
    fakes.raises(NetworkError, device.sync_clock, code="network.timeout")
    assert device.sync_clock() == NOW
    assert notes.read(board.path)["early"] == 0


def test_no_early_request_goes_to_a_broker_that_tells_no_time():
    peer = fakes.Peer(packets.CONNACK)
    board = Board(peer)
    notes.write(board.path, {"day": 0, "psk": 0, "early": 4})
    board.boot().connect()
    assert board.clock.passed == 0 and len(packets.split(peer.segments[0])) == 1


def test_a_time_that_did_not_come_in_a_hurry_proves_nothing():
    board = Board(fakes.Peer(packets.CONNACK, packets.suback(1)), early=False)
    session = board.boot().connect()
    fakes.raises(NetworkError, session.sync_clock, 9999, code="network.timeout")
    assert notes.read(board.path)["early"] == 0


# --- a login that takes its time ----------------------------------------------------------------


def _slow_login(login_ms):
    """A board whose clock is set by an early request: (board, device, peer); 2 ms each way."""

    def logged_in(_):
        stamp = NOW + board.clock.passed + 2 + login_ms
        return [(login_ms + 4, packets.CONNACK + packets.suback(1) + time_of(stamp))]

    peer = fakes.Peer(logged_in)
    board = Board(peer)
    device = board.boot()
    device.connect()
    device.sync_clock()
    return board, device, peer


def time_of(stamp):
    values = {"type": "get", "time": stamp // 1000, "ntptime1": stamp, "ntptime2": stamp}
    return packets.publish(RESULT, json.dumps(values).encode())


def test_a_slow_login_is_known_as_an_uncertainty():
    for login_ms in (0, 400, 1500):
        board, device, _ = _slow_login(login_ms)
        error = board.clock.unix_ms() - (NOW + board.clock.passed)
        assert error == login_ms // 2, login_ms
        assert device.state()["clock_uncertainty_ms"] == login_ms // 2 + 4
        fakes.restore()


def test_a_slow_login_is_out_of_the_clock_after_the_first_poll():
    for login_ms, packets_more in ((0, 0), (400, 1), (1500, 1)):
        board, device, peer = _slow_login(login_ms)
        peer.expect([(4, time_of(NOW + board.clock.passed + 2))])
        device.session.poll(50)
        assert board.clock.unix_ms() == NOW + board.clock.passed, login_ms
        assert device.state()["clock_uncertainty_ms"] == 4
        device.session.poll(20000)
        assert peer.segments[1:] == [packets.publish(ASK, REQUEST)] * packets_more
        fakes.restore()


def test_a_clock_that_nobody_set_has_no_uncertainty():
    board = Board(fakes.Peer(packets.CONNACK), early=False)
    device = board.boot()
    assert device.state()["clock_uncertainty_ms"] is None
    device.connect()
    assert device.state()["clock_uncertainty_ms"] is None


def test_who_never_asked_for_the_time_is_left_alone():
    board = Board(fakes.Peer(packets.CONNACK), early=False)
    session = board.boot().connect(keepalive=0)
    session.poll(90000000)
    assert len(board.net.sockets[0]._peer.segments) == 1


# --- a stored secret that never logged in -------------------------------------------------------


def _stale(*peers, day=0, secret=OTHER):
    """A board whose stored secret is refused three times, before these peers."""
    refused = [fakes.Peer(packets.connack(4)) for _ in range(3)]
    board = Board(*refused, *peers, psk=False, endpoint={"gateway": "http://hub.local"})
    device = board.boot()
    store.store(device.info, secret)
    device = board.boot()
    device.history["day"] = day
    return board, device


def test_a_stored_secret_that_never_logged_in_and_is_refused_registers_once_more():
    gateways = fakes.Peer(gateway.http(gateway.good()))
    board, device = _stale(gateways, fakes.Peer(GOOD))
    device.connect(60, 0)
    assert device.registered_now
    assert json.loads(fakes.read(board.path))["key_deviceinfo"]["deviceSecret"] == (
        canaries.DEVICE_SECRET
    )
    assert Device(board.path).info.credential == canaries.DEVICE_SECRET
    assert board.clock.passed < 60000


def test_where_the_cloud_refuses_that_the_stored_secret_stays():
    activated = fakes.Peer(gateway.http(gateway.refusal("Activated", "has been activated")))
    board, device = _stale(activated, fakes.Peer(GOOD))
    device.connect(60, 0)
    assert not device.registered_now
    assert Device(board.path).info.credential == OTHER
    assert board.clock.passed >= 900000


def test_a_secret_that_has_logged_in_never_registers_once_more():
    board, device = _stale(fakes.Peer(GOOD), day=1)
    device.connect(60, 0)
    assert not device.registered_now
    assert Device(board.path).info.credential == OTHER


# --- a spread of the first try ------------------------------------------------------------------


def test_a_spread_puts_the_first_connect_anywhere_within_it():
    for drawn, waits in ((b"\0\0\0\0", 0), (b"\0\0\xea\x60", 60000), (b"\0\0\xea\x61", 0)):
        peer = fakes.Peer(GOOD)
        board = Board(peer, psk=False, spread=60)
        device = board.boot()
        fakes.replace(port, "random_bytes", lambda size, drawn=drawn: drawn[-size:])
        device.connect()
        assert waits <= peer.met <= waits + 1000, (drawn, peer.met)
        fakes.restore()


def test_a_spread_delays_no_reconnect():
    board = Board(fakes.Peer(GOOD), fakes.Peer(GOOD), psk=False, spread=3600)
    device = board.boot()
    device.connect()
    device.session.close()
    before = board.clock.passed
    device.connect()
    assert board.clock.passed - before < 10000
