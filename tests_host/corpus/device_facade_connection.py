"""The vendor SDK's names: connecting, what ends a connection, and the thread that polls."""

import sys

import fakes
import packets
from dynreg import port
from dynreg.errors import ConfigError
from facades import CONTROL, Facade, Threads, connected

# --- connecting, and what ends it ---------------------------------------------------------------


def test_a_second_connect_does_not_log_in_again():
    board = connected()
    assert board.hub.connect() == 1
    assert len(board.net.sockets) == 1 and not board.heard


def test_a_first_login_that_may_pass_is_tried_again():
    board = Facade(fakes.Peer(fault=OSError(111)), fakes.Peer(packets.CONNACK))
    board.hub.connect()
    assert board.hub.isMqttConnected() is False
    assert len(board.net.sockets) == 1, "not before 5 s"
    board.pass_(5001)
    assert board.hub.isMqttConnected() is True
    assert board.heard == [("connect", 0, 0, "user")]


def test_what_does_not_pass_ends_and_starts_again_with_connect():
    board = Facade(fakes.Peer(packets.CONNACK))

    def final(*values):
        raise ConfigError("config", "wrong")

    connect, board.hub._device.connect = board.hub._device.connect, final
    board.hub.connect()
    assert "wrong; connect() starts it again" in board.words()
    board.pass_(3600000)
    assert board.hub.isMqttConnected() is False and not board.net.sockets
    board.hub._device.connect = connect
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True


def test_a_lost_connection_is_made_again_with_its_subscriptions():
    board = connected()
    second = fakes.Peer(packets.CONNACK, packets.suback(2))
    board.net.add(second)
    board.peer.say(fakes.END)
    assert board.hub.isMqttConnected() is False
    board.pass_(5001)
    assert board.hub.isMqttConnected() is True
    assert [call[0] for call in board.heard] == ["disconnect", "connect"]
    second.say(packets.publish(CONTROL, b"7"))
    board.hub.isMqttConnected()
    assert board.heard[-1] == ("message", CONTROL, 7, 0, "user")


def test_whatever_poll_raises_is_survived_with_a_new_connection():
    for fault in (MemoryError(), OSError(5), KeyError("x"), RuntimeError("x")):
        board = connected()
        second = fakes.Peer(packets.CONNACK, packets.suback(2))
        board.net.add(second)
        session = board.hub._device.session
        poll = session.poll

        def broken(ms, fault=fault, session=session, poll=poll):
            session.poll = poll
            raise fault

        session.poll = broken
        assert board.hub.isMqttConnected() is False, repr(fault)
        assert board.peer.closed and repr(fault) in board.words()
        board.pass_(60000)
        assert board.hub.isMqttConnected() is True, repr(fault)
        assert [call[0] for call in board.heard] == ["disconnect", "connect"]
        fakes.restore()


def test_no_memory_to_handle_no_memory_is_survived():
    board = connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    session = board.hub._device.session
    poll, step = session.poll, port.step

    def broken(*values):
        raise MemoryError

    session.poll = broken
    fakes.replace(port, "step", broken)
    assert board.hub.isMqttConnected() is False
    session.poll = poll
    fakes.replace(port, "step", step)
    board.pass_(60000)
    assert board.hub.isMqttConnected() is True


def test_a_fault_within_publish_leaves_no_half_packet():
    board = connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    session = board.hub._device.session

    def broken(*values):
        raise MemoryError

    session.publish = broken
    assert board.hub.publish("a/b", "x", 0)[0] == -1
    assert board.hub.isMqttConnected() is False and board.peer.closed
    board.pass_(60000)
    assert board.hub.isMqttConnected() is True


def test_disconnect_from_within_a_callback():
    board = connected()
    board.hub.registerUserCallback(CONTROL, lambda *values: board.hub.disconnect())
    assert board.say(b"1") is False
    assert board.heard == [("disconnect", 0, "user")]
    assert board.peer.segments[-1] == packets.DISCONNECT
    board.pass_(3600000)
    assert board.hub.isMqttConnected() is False and len(board.net.sockets) == 1
    assert not [text for name, text in board.log if name == "ERROR"]


def test_disconnect_from_within_on_connect():
    threads = Threads()
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads)
    board.hub.registerMqttCallback(
        lambda *values: board.hub.disconnect(), None, None, None, None, None
    )
    board.hub.connect()
    threads.run()
    assert board.hub.isMqttConnected() is False
    assert not [text for name, text in board.log if name == "ERROR"]


def test_disconnect_then_connect():
    board = connected()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    board.hub.disconnect()
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True
    assert [call[0] for call in board.heard] == ["disconnect", "connect"]


# --- the thread ---------------------------------------------------------------------------------


def _threaded():
    threads = Threads()
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads)
    board.hub.connect()
    return board, threads


def _end_after(board, turns):
    """disconnect() once the thread has slept so often."""
    sleep = port.sleep_ms
    left = [turns]

    def sleep_ms(ms):
        sleep(ms)
        left[0] -= 1
        if not left[0]:
            board.hub.disconnect()
        assert left[0] > -10, "the thread goes on after disconnect()"

    fakes.replace(port, "sleep_ms", sleep_ms)


def test_the_thread_brings_messages_and_ends_with_disconnect():
    board, threads = _threaded()
    board.hub.registerUserCallback(CONTROL, lambda *values: board.heard.append(values))
    board.peer.expect(packets.suback(1))
    board.hub.subscribe(CONTROL, 0)
    board.peer.say(packets.publish(CONTROL, b"7"))
    board.hub.isMqttConnected()
    assert (CONTROL, 0, 7, "user") not in board.heard, "that is the thread's work"
    _end_after(board, 3)
    threads.run()
    assert (CONTROL, 0, 7, "user") in board.heard


def test_one_thread_for_two_connects():
    board, threads = _threaded()
    board.hub.connect()
    assert len(threads.started) == 1


def test_one_thread_for_a_connect_while_the_connection_is_lost():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK))
    board.hub._device.session.close()
    assert board.hub.connect() == 0
    assert board.hub.isMqttConnected() is True and len(threads.started) == 1


def test_the_old_thread_ends_after_disconnect_and_connect():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK))
    board.hub.disconnect()
    board.hub.connect()
    assert len(threads.started) == 2
    function, values = threads.started[0]
    function(*values)  # ends at once: no endless loop
    assert board.hub.isMqttConnected() is True


def test_a_thread_that_ends_says_so_and_connect_starts_another():
    board, threads = _threaded()
    board.net.add(fakes.Peer(packets.CONNACK, packets.suback(2)))
    board.hub.registerUserCallback(CONTROL, lambda *values: sys.exit(3))
    board.peer.expect(packets.suback(1))
    board.hub.subscribe(CONTROL, 0)
    board.peer.say(packets.publish(CONTROL, b"1"))
    threads.run()
    assert "the thread has ended: SystemExit(3" in board.words()
    assert "connect() starts it again" in board.words()
    assert board.hub.isMqttConnected() is False
    assert board.hub.connect() == 0
    assert len(threads.started) == 2 and board.hub.isMqttConnected() is True


def test_a_thread_that_cannot_start_is_told_and_done_without():
    threads = Threads(OSError("can't create thread"))
    board = Facade(fakes.Peer(packets.CONNACK), threads=threads).connected()
    assert "no thread" in board.words()
    board.say(b"7")
    assert board.heard == [("message", CONTROL, 7, 0, "user")]


def test_no_poll_within_a_callback_without_threads():
    board = connected()
    depth = []

    def own(*values):
        depth.append(board.hub.isMqttConnected())
        depth.append("out")

    board.hub.registerUserCallback(CONTROL, own)
    board.peer.say(packets.publish(CONTROL, b"1"))
    board.peer.say(packets.publish(CONTROL, b"2"))
    board.hub.isMqttConnected()
    board.hub.isMqttConnected()
    assert depth == [True, "out", True, "out"]
