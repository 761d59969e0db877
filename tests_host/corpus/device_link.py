"""Wire and Link: segments, reads, deadlines, and what breaks, without a socket."""

import errno
import io

import fakes
from dynreg.connect import tls
from dynreg.errors import NetworkError
from links import opened


def test_writes_are_gathered_until_the_next_read():
    link, peer = opened(b"reply")
    assert link.write(b"ab") == 2
    assert link.write("cd") == 2  # text, as umqtt.simple and urequests write it
    assert link.write(bytearray(b"ef\0\0"), 2) == 2
    assert peer.segments == []
    assert link.read(5) == b"reply"
    assert peer.segments == [b"abcdef"]


def test_flush_sends_what_was_gathered():
    link, peer = opened()
    link.flush()
    assert peer.segments == []
    link.write(b"ab")
    link.flush()
    link.flush()
    assert peer.segments == [b"ab"]


def test_much_goes_out_unasked_and_whole():
    link, peer = opened()
    data = bytes(range(256)) * 64
    for start in range(0, len(data), 100):
        link.write(data[start : start + 100])
    assert len(peer.segments) > 5
    link.flush()
    assert peer.sent == data


def test_a_socket_that_takes_little_at_a_time():
    link, peer = opened(takes=7)
    link.write(b"0123456789abcdef")
    link.flush()
    assert peer.segments == [b"0123456", b"789abcd", b"ef"]


def test_close_sends_what_was_gathered():
    link, peer = opened()
    link.write(b"bye")
    link.close()
    assert peer.segments == [b"bye"]
    assert peer.closed
    link.close()


def test_read_gives_exactly_what_was_asked_for():
    link, peer = opened()
    peer.say(b"abc")
    peer.say(b"defgh", 100)
    assert link.read(4) == b"abcd"
    assert link.read(0) == b""
    assert link.read(4) == b"efgh"


def test_read_without_a_size_reads_to_the_end():
    for size in (0, 1, 255, 256, 257, 512, 1000):
        link, peer = opened()
        data = bytes(i & 0xFF for i in range(size))
        if data:
            peer.say(data[: size // 2 + 1])
            peer.say(data[size // 2 + 1 :] or fakes.END, 50)
        peer.say(fakes.END, 100)
        assert link.read() == data, size
        fakes.restore()


def test_readline():
    link, peer = opened()
    peer.say(b"one\r\ntw")
    peer.say(b"o\n\nrest", 10)
    assert [link.readline() for _ in range(3)] == [b"one\r\n", b"two\n", b"\n"]
    assert link.read(4) == b"rest"


def test_readinto_gives_less_at_the_end_only():
    link, peer = opened()
    peer.say(b"abc")
    peer.say(b"d", 10)
    peer.say(fakes.END, 20)
    buffer = bytearray(6)
    assert link.readinto(buffer) == 4
    assert buffer == b"abcd\0\0"
    assert link.readinto(buffer) == 0


def test_the_end_in_the_middle_of_a_read():
    link, peer = opened()
    peer.say(b"abc")
    peer.say(fakes.END, 10)
    fakes.raises(NetworkError, link.read, 4, code="network.closed", retry=True)
    fakes.raises(NetworkError, link.readline, code="network.closed")


def test_tls_that_takes_the_end_of_the_line_for_a_fault():
    # Not mbedTLS, but other TLS libraries of older firmware, and a fault that is one.
    class Stream(io.IOBase):
        def __init__(self, wire):
            self._wire = wire

        def readinto(self, buffer):
            count = self._wire.readinto(buffer)
            if count <= 0:
                raise OSError(-1)
            return count

        def write(self, data):
            return self._wire.write(data)

        def close(self):
            self._wire.close()

    for end in (True, False):
        peer = fakes.Peer()
        fakes.network(fakes.Clock(), peer)
        fakes.replace(tls, "handshake", lambda wire, host, context: Stream(wire))
        link = tls.connect("host", 1883, "a trust", 300)
        peer.say(b"all")
        assert link.readinto(bytearray(3)) == 3
        if end:
            peer.say(fakes.END)
            assert link.read() == b""
        else:
            fakes.raises(NetworkError, link.read, code="network.timeout")
        fakes.restore()


def test_the_deadline_is_absolute():
    link, peer = opened(ms=300)
    for i in range(20):
        peer.say(b"x", 100 * i)
    fakes.raises(NetworkError, link.read, 20, code="network.timeout")
    assert peer.clock.passed == 300, peer.clock.passed


def test_within_gives_a_new_deadline():
    link, peer = opened(ms=300)
    peer.clock.sleep_ms(1000)
    link.within(200)
    peer.say(b"x", 150)
    assert link.read(1) == b"x"
    fakes.raises(NetworkError, link.read, 1, code="network.timeout")
    assert peer.clock.passed == 1200, peer.clock.passed


def test_a_deadline_that_has_passed_still_takes_what_is_there():
    link, peer = opened(ms=300)
    peer.say(b"x")
    peer.clock.sleep_ms(1000)
    assert link.read(1) == b"x"


def test_blocking_or_not_the_deadline_holds():
    link, _ = opened(ms=300)
    link.setblocking(True)
    link.settimeout(None)
    fakes.raises(NetworkError, link.read, 1, code="network.timeout")


def test_ready_waits_as_long_as_it_is_told():
    link, peer = opened()
    peer.say(b"x", 500)
    assert link.ready(0) is False
    assert link.ready(499) is False
    assert peer.clock.passed == 499
    assert link.ready(1000) is True
    assert peer.clock.passed == 500
    link.read(1)
    assert link.ready(100) is False


def test_ready_sends_what_was_gathered_first():
    link, peer = opened(b"answer")
    link.write(b"question")
    assert link.ready(100) is True
    assert peer.segments == [b"question"]


def test_a_connection_that_breaks():
    for number in (errno.ECONNRESET, 32):
        link, peer = opened()
        peer.broken = OSError(number)
        fakes.raises(NetworkError, link.read, 1, code="network.closed", says=str(number))
        fakes.restore()
        link, peer = opened()
        link.write(b"x")
        peer.broken = OSError(number)
        fakes.raises(NetworkError, link.flush)
        link.close()
        assert peer.closed
        fakes.restore()
