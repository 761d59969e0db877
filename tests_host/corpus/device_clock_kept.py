"""The clock after it was set: once a day again, and how sure it is after a slow login."""

import json

import fakes
import packets
from broker import ASK, REQUEST, RESULT
from registered import GOOD, NOW, TIME, Board

# --- a day later --------------------------------------------------------------------------------


def _online(*answers):
    board = Board(fakes.Peer(GOOD, *answers))
    device = board.boot()
    session = device.connect(keepalive=0)
    device.sync_clock()
    return board, session


def _polls_each_hour(board, session, hours):
    for _ in range(hours):
        board.clock.passed += 3600000 - 1000
        session.poll(1001)


def test_the_clock_is_set_again_once_a_day():
    board, session = _online(TIME, TIME)
    peer = board.net.sockets[0]._peer
    _polls_each_hour(board, session, 23)
    assert len(peer.segments) == 1 and len(board.clock.settings) == 1
    _polls_each_hour(board, session, 1)
    assert len(peer.segments) == 2 and len(board.clock.settings) == 2
    _polls_each_hour(board, session, 24)
    assert len(board.clock.settings) == 3 and session.connected is True


def test_a_daily_time_that_does_not_come_ends_nothing():
    board, session = _online()
    session.poll(86400000)
    session.poll(1)
    assert session.connected is True and len(board.clock.settings) == 1
    assert "time: " in board.log[-1][1], board.log[-1]


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
    _polls_each_hour(board, session, 25)
    assert len(board.net.sockets[0]._peer.segments) == 1
