"""Connecting and the socket adapter: segments, deadlines, errors of Wire and Link, no socket."""

import errno
import io

import fakes
from dynreg import port
from dynreg.connect import adapter, tls
from dynreg.device import Endpoint
from dynreg.errors import CertificateError, NetworkError, ProtocolError

ENDPOINT = Endpoint("mqtt", "host", 1883)


def _open(*answers, ms=5000, limit=0, **peer):
    """(its link, the peer)."""
    other = fakes.Peer(*answers, **peer)
    fakes.network(fakes.Clock(), other)
    return tls.connect("host", 1883, None, ms, limit), other


def _through(call, name="socket", **peer):
    """(adapter.through() as a function, the library that is led) for a link that stands."""
    link, _ = _open(**peer)
    library = fakes.Namespace(__name__="library", **{name: "its own"})
    return lambda: adapter.through(library, link, ENDPOINT, lambda: call(library)), library


def test_writes_are_gathered_until_the_next_read():
    link, peer = _open(b"reply")
    assert link.write(b"ab") == 2
    assert link.write("cd") == 2  # text, as umqtt.simple and urequests write it
    assert link.write(bytearray(b"ef\0\0"), 2) == 2
    assert peer.segments == []
    assert link.read(5) == b"reply"
    assert peer.segments == [b"abcdef"]


def test_flush_sends_what_was_gathered():
    link, peer = _open()
    link.flush()
    assert peer.segments == []
    link.write(b"ab")
    link.flush()
    link.flush()
    assert peer.segments == [b"ab"]


def test_much_goes_out_unasked_and_whole():
    link, peer = _open()
    data = bytes(range(256)) * 64
    for start in range(0, len(data), 100):
        link.write(data[start : start + 100])
    assert len(peer.segments) > 5
    link.flush()
    assert peer.sent == data


def test_a_socket_that_takes_little_at_a_time():
    link, peer = _open(takes=7)
    link.write(b"0123456789abcdef")
    link.flush()
    assert peer.segments == [b"0123456", b"789abcd", b"ef"]


def test_close_sends_what_was_gathered():
    link, peer = _open()
    link.write(b"bye")
    link.close()
    assert peer.segments == [b"bye"]
    assert peer.closed
    link.close()


def test_read_gives_exactly_what_was_asked_for():
    link, peer = _open()
    peer.say(b"abc")
    peer.say(b"defgh", 100)
    assert link.read(4) == b"abcd"
    assert link.read(0) == b""
    assert link.read(4) == b"efgh"


def test_read_without_a_size_reads_to_the_end():
    for size in (0, 1, 255, 256, 257, 512, 1000):
        link, peer = _open()
        data = bytes(i & 0xFF for i in range(size))
        if data:
            peer.say(data[: size // 2 + 1])
            peer.say(data[size // 2 + 1 :] or fakes.END, 50)
        peer.say(fakes.END, 100)
        assert link.read() == data, size
        fakes.restore()


def test_readline():
    link, peer = _open()
    peer.say(b"one\r\ntw")
    peer.say(b"o\n\nrest", 10)
    assert [link.readline() for _ in range(3)] == [b"one\r\n", b"two\n", b"\n"]
    assert link.read(4) == b"rest"


def test_readinto_gives_less_at_the_end_only():
    link, peer = _open()
    peer.say(b"abc")
    peer.say(b"d", 10)
    peer.say(fakes.END, 20)
    buffer = bytearray(6)
    assert link.readinto(buffer) == 4
    assert buffer == b"abcd\0\0"
    assert link.readinto(buffer) == 0


def test_the_end_in_the_middle_of_a_read():
    link, peer = _open()
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
    link, peer = _open(ms=300)
    for i in range(20):
        peer.say(b"x", 100 * i)
    fakes.raises(NetworkError, link.read, 20, code="network.timeout")
    assert peer.clock.passed == 300, peer.clock.passed


def test_within_gives_a_new_deadline():
    link, peer = _open(ms=300)
    peer.clock.sleep_ms(1000)
    link.within(200)
    peer.say(b"x", 150)
    assert link.read(1) == b"x"
    fakes.raises(NetworkError, link.read, 1, code="network.timeout")
    assert peer.clock.passed == 1200, peer.clock.passed


def test_a_deadline_that_has_passed_still_takes_what_is_there():
    link, peer = _open(ms=300)
    peer.say(b"x")
    peer.clock.sleep_ms(1000)
    assert link.read(1) == b"x"


def test_blocking_or_not_the_deadline_holds():
    link, _ = _open(ms=300)
    link.setblocking(True)
    link.settimeout(None)
    fakes.raises(NetworkError, link.read, 1, code="network.timeout")


def test_ready_waits_as_long_as_it_is_told():
    link, peer = _open()
    peer.say(b"x", 500)
    assert link.ready(0) is False
    assert link.ready(499) is False
    assert peer.clock.passed == 499
    assert link.ready(1000) is True
    assert peer.clock.passed == 500
    link.read(1)
    assert link.ready(100) is False


def test_ready_sends_what_was_gathered_first():
    link, peer = _open(b"answer")
    link.write(b"question")
    assert link.ready(100) is True
    assert peer.segments == [b"question"]


def test_a_connection_that_breaks():
    for number in (errno.ECONNRESET, 32):
        link, peer = _open()
        peer.broken = OSError(number)
        fakes.raises(NetworkError, link.read, 1, code="network.closed", says=str(number))
        fakes.restore()
        link, peer = _open()
        link.write(b"x")
        peer.broken = OSError(number)
        fakes.raises(NetworkError, link.flush)
        link.close()
        assert peer.closed
        fakes.restore()


def _fed(clock):
    """The longest that idle() had to wait, ms, once clock has passed; a function."""
    at = [clock.passed]
    fakes.replace(port, "idle", lambda: at.append(clock.passed))

    def longest():
        at.append(clock.passed)
        return max(at[i + 1] - at[i] for i in range(len(at) - 1))

    return longest


def test_connect_that_fails():
    # At once, within the socket's own patience, and after it.
    for joins in (0, 400, 501, 4000):
        for number in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ETIMEDOUT):
            fault = OSError(number)
            fakes.raises(
                NetworkError,
                lambda f=fault, ms=joins: _open(fault=f, joins=ms),
                code="network.connect",
                # By then it is known that, but no longer why.
                says=("host:1883", str(number) if joins < 500 else "refused"),
            )
            fakes.restore()


def test_connect_that_takes_long_feeds_the_watchdog():
    for joins in (0, 499, 501, 4999):
        clock = fakes.Clock()
        fakes.network(clock, fakes.Peer(b"reply", joins=joins))
        longest = _fed(clock)
        link = tls.connect("host", 1883, None, 5000)
        assert clock.passed == joins and longest() <= 1000, joins
        link.write(b"x")
        assert link.read(5) == b"reply"
        fakes.restore()


def test_connect_that_takes_too_long():
    for _ in range(3):  # a time-out has three numbers
        clock = fakes.Clock()
        fakes.network(clock, fakes.Peer(joins=60000))
        longest = _fed(clock)
        fakes.raises(
            NetworkError,
            *(tls.connect, "host", 1883, None, 5000),
            code="network.timeout",
            says="host:1883",
        )
        assert clock.passed == 5000 and longest() <= 1000
        fakes.restore()


def _slow(**peer):
    """(link, its peer, clock, what _fed() gives) of a link with 5 s."""
    clock = fakes.Clock()
    other = fakes.Peer(**peer)
    fakes.network(clock, other)
    return tls.connect("host", 1883, None, 5000), other, clock, _fed(clock)


def test_a_line_that_takes_nothing_for_a_while():
    link, peer, clock, longest = _slow(full=4000)
    link.write(b"question")
    link.flush()
    assert peer.segments == [b"question"] and clock.passed == 4000 and longest() <= 1000


def test_a_line_that_takes_nothing_any_more():
    link, peer, clock, longest = _slow(full=60000)
    link.write(b"question")
    fakes.raises(NetworkError, link.flush, code="network.closed", says="in time", retry=True)
    assert clock.passed == 5000 and longest() <= 1000 and link.broken
    link.write(b"more")
    link.close()  # its deadline is over: one try
    assert peer.closed and clock.passed <= 5500


def test_a_line_that_takes_a_byte_now_and_then():
    link, _, clock, longest = _slow(takes=1)

    def slow(data, real=link.wire.raw.send):
        clock.passed += 499
        return real(data)

    link.wire.raw.send = slow
    link.write(b"question" * 9)
    fakes.raises(NetworkError, link.flush, code="network.closed", says="in time", retry=True)
    assert clock.passed <= 5500 and longest() <= 1000


def test_a_connection_that_fails_is_closed():
    peer = fakes.Peer(fault=OSError(errno.ECONNREFUSED))
    fakes.network(fakes.Clock(), peer)
    fakes.raises(NetworkError, tls.connect, "host", 1883, None, 1000)
    assert peer.closed == 1
    fakes.restore()
    peer = fakes.Peer()
    fakes.network(fakes.Clock(), peer)

    class Interrupt(BaseException):
        pass

    def handshake(*_):
        raise Interrupt

    fakes.replace(tls, "handshake", handshake)
    try:
        tls.connect("host", 1883, "a trust", 1000)
        raise AssertionError("nothing raised")
    except Interrupt:
        assert peer.closed == 1


def test_a_name_that_is_not_found():
    net = fakes.network(fakes.Clock())
    fakes.raises(
        NetworkError,
        tls.connect,
        "no.such.host",
        1883,
        None,
        1000,
        code="network.dns",
        says="no.such.host",
    )
    assert not net.sockets


def test_the_limit_is_what_may_be_read_in_all():
    link, peer = _open(limit=100)
    peer.say(bytes(101))
    assert link.read(100) == bytes(100)
    error = fakes.raises(ProtocolError, link.read, 1, code="protocol.size", retry=900)
    assert "host" in str(error)


def test_no_limit_is_none():
    link, peer = _open(limit=0)
    for _ in range(100):
        peer.say(bytes(1000))
        assert link.read(1000) == bytes(1000)


def test_one_adapter_one_host_one_connection():
    link, _ = _open()
    one = adapter.SocketAdapter(link, ENDPOINT)
    for host, number in (("other", 1883), ("host", 80), ("HOST", 1883)):
        fakes.raises(ProtocolError, one.getaddrinfo, host, number, code="protocol.redirect")
    assert one.getaddrinfo("host", 1883, 0, 1)[0][-1] == ("host", 1883)
    assert one.socket(2, 1) is link
    fakes.raises(ProtocolError, one.socket, code="protocol.redirect", retry=900)


def test_a_library_gets_the_link_and_its_answer_comes_out():
    def call(library):
        sock = library.socket.socket()
        sock.settimeout(9)
        sock.connect(library.socket.getaddrinfo("host", 1883)[0][-1])
        return sock.read(5)

    link, peer = _open(ms=5000)
    peer.say(b"hello")
    library = fakes.Namespace(__name__="library", socket="its own")
    assert adapter.through(library, link, ENDPOINT, lambda: call(library)) == b"hello"
    assert library.socket == "its own" and not peer.closed


def test_an_answer_that_did_not_come_through_the_adapter_is_thrown_away():
    through, _ = _through(lambda library: "an answer")
    fakes.raises(ProtocolError, through, code="protocol.library", says="went round", retry=False)
    link, _ = _open()
    library = fakes.Namespace(__name__="library")
    fakes.raises(
        ProtocolError, adapter.through, library, link, ENDPOINT, None, code="protocol.library"
    )


def test_what_a_library_makes_of_an_answer_it_does_not_like():
    for fault in (
        ValueError("x"),
        IndexError("x"),
        KeyError("x"),
        TypeError("x"),
        AttributeError("x"),
        AssertionError("x"),
        NotImplementedError("x"),
        ImportError("x"),
    ):

        def call(library, fault=fault):
            raise fault

        through, library = _through(call)
        error = fakes.raises(ProtocolError, through, code="protocol.reply", retry=900)
        assert "library" in str(error) and library.socket == "its own"
        fakes.restore()


def test_a_fault_behind_a_line_that_broke_or_ended_is_the_networks():
    def broke(library):
        library.socket.socket().broken = True
        raise ValueError

    def ended(library):  # as the newest requests, whose body is shorter than it was told
        link = library.socket.socket()
        link.wire.ended = True
        raise ValueError

    for call in (broke, ended):
        through, _ = _through(call)
        fakes.raises(NetworkError, through, code="network.closed", says="middle", retry=True)
        fakes.restore()


def test_an_oserror_of_a_library_is_the_network():
    def call(library):
        raise OSError(-1)

    through, library = _through(call, "usocket")
    fakes.raises(NetworkError, through, code="network.closed", retry=True)
    assert library.usocket == "its own"


def test_an_interrupt_passes_the_adapter():
    class Interrupt(BaseException):
        pass

    def call(library):
        raise Interrupt

    through, library = _through(call)
    try:
        through()
        raise AssertionError("nothing raised")
    except Interrupt:
        assert library.socket == "its own"


def test_closing_twice_and_before_anything():
    link, peer = _open()
    link.drop()
    assert peer.closed == 1
    link.drop()
    link.close()
    assert peer.closed == 1


def test_a_certificate_for_another_name_says_what_to_do():
    text = "The certificate Common Name (CN) does not match with the expected CN"
    for host, says, never in (
        ("hub.lan", "write the name that the certificate is made for", "1.24"),
        ("192.168.1.20", "before MicroPython 1.24 an address must be among its DNS names", None),
    ):
        fakes.Clock(unix=fakes.NOW * 1000)
        error = port.step("connect.trust", "untrusted", host, ValueError(text))
        assert (type(error), error.code) == (CertificateError, "certificate"), host
        assert says in str(error)
        assert not (never and never in str(error))
        fakes.restore()
