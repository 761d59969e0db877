"""Connecting, and the socket adapter that a library of the firmware is led through."""

import errno

import fakes
from dynreg import port
from dynreg.connect import adapter, tls
from dynreg.errors import CertificateError, NetworkError, ProtocolError
from links import ENDPOINT, opened


def _through(call, name="socket", **peer):
    """(adapter.through() as a function, the library that is led) for a link that stands."""
    link, _ = opened(**peer)
    library = fakes.Namespace(__name__="library", **{name: "its own"})
    return lambda: adapter.through(library, link, ENDPOINT, lambda: call(library)), library


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
                lambda f=fault, ms=joins: opened(fault=f, joins=ms),
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
    fakes.raises(Interrupt, tls.connect, "host", 1883, "a trust", 1000)
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
    link, peer = opened(limit=100)
    peer.say(bytes(101))
    assert link.read(100) == bytes(100)
    error = fakes.raises(ProtocolError, link.read, 1, code="protocol.size", retry=900)
    assert "host" in str(error)


def test_no_limit_is_none():
    link, peer = opened(limit=0)
    for _ in range(100):
        peer.say(bytes(1000))
        assert link.read(1000) == bytes(1000)


def test_one_adapter_one_host_one_connection():
    link, _ = opened()
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

    link, peer = opened(ms=5000)
    peer.say(b"hello")
    library = fakes.Namespace(__name__="library", socket="its own")
    assert adapter.through(library, link, ENDPOINT, lambda: call(library)) == b"hello"
    assert library.socket == "its own" and not peer.closed


def test_an_answer_that_did_not_come_through_the_adapter_is_thrown_away():
    through, _ = _through(lambda library: "an answer")
    fakes.raises(ProtocolError, through, code="protocol.library", says="went round", retry=False)
    link, _ = opened()
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
    fakes.raises(Interrupt, through)
    assert library.socket == "its own"


def test_closing_twice_and_before_anything():
    link, peer = opened()
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
