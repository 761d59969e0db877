"""What one boot leaves for the next: the day, PSK, the early request, a broker without a time."""

import fakes
import packets
from dynreg.errors import NetworkError
from dynreg.storage import notes
from registered import EARLY, GOOD, NOW, TIME, Board

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
        board.clock.passed += 3600000 - 1000
        session.poll(1000)
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
