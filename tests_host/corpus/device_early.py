"""The time asked for behind the CONNECT, and brokers that do not take that."""

import fakes
import packets
from broker import ASK, REQUEST
from dynreg.connect import login
from dynreg.errors import NetworkError
from dynreg.storage import notes
from registered import ASKED, EARLY, EARLY_ID, GOOD, NOW, TIME, Board


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
    board = Board(fakes.Peer([(300, packets.CONNACK + packets.suback(EARLY_ID)), (1000, TIME)]))
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
    assert len(peer.segments) == 2 and peer.segments[1] == ASKED


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
        assert peers[1].segments[1] == ASKED, "nothing was sent before the CONNACK"
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
    fakes.raises(MemoryError, board.boot().connect)
    assert peer.closed == 1 and not peer.segments


def test_an_early_request_turned_down_is_remembered_over_a_connection_that_fails():
    good = fakes.Peer(packets.CONNACK)
    board = Board(fakes.Peer(fakes.END), fakes.Peer(fault=OSError(111)), good)
    notes.write(board.path, {"day": 0, "psk": 0, "early": 2})
    board.boot().connect(attempts=3)
    assert len(packets.split(good.segments[0])) == 1
    assert notes.read(board.path)["early"] == 2


def test_a_broker_that_overlooks_it_is_asked_again_on_the_same_connection():
    for answer in (packets.CONNACK, packets.CONNACK + packets.suback(EARLY_ID)):
        peer = fakes.Peer(answer, packets.suback(EARLY_ID) + packets.suback(1) + TIME)
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


def test_a_late_answer_to_the_early_request_acknowledges_nothing_else():
    def late(_):
        _, subscribe, _ = packets.split(peer.segments[0])
        return [(100, packets.suback(int.from_bytes(subscribe[2:4], "big")))]

    peer = fakes.Peer(packets.CONNACK, late)
    session = Board(peer).boot().connect()
    fakes.raises(
        NetworkError, session.publish, "event", b"x", 1, 5000, code="network.unacknowledged"
    )
