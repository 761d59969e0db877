"""The other end of each connection, without a network.

dynreg's own Wire runs on a Peer's socket, so each entry of Peer.segments is one send() of its.
"""

import errno

from dynreg.connect import link, tls
from standins import replace

# What number a time-out has differs from port to port.
_NUMBERS = [errno.ETIMEDOUT, errno.EINPROGRESS, errno.EAGAIN]
END = object()  # in a Peer's answers: it closes the connection


class Peer:
    """The other end of one connection.

    answers: one for each segment that it gets, sent back after `latency` ms: bytes; END; None
    for nothing; a function of the segment that gives one of these; a list of (ms, bytes or END).
    takes: how many bytes one send() takes at most. fault: the OSError of connect(). joins: how
    many ms connect() takes, whatever its end. full: send() takes nothing until so many ms.
    """

    def __init__(self, *answers, latency=0, takes=None, fault=None, joins=0, full=0):
        self.segments = []
        self.address = self.met = None  # of connect(): where to, and when
        self.closed = 0
        self.broken = None  # the OSError that send() and recv() raise
        self.latency = latency
        self.takes = takes
        self.fault = fault
        self.joins = joins
        self.full = full
        self.clock = None
        self._answers = list(answers)
        self._coming = []  # [at, bytes or END], in order

    @property
    def sent(self):
        return b"".join(self.segments)

    def say(self, data, ms=0):
        """Sends data (or END) in ms milliseconds."""
        at = self.clock.passed + ms
        place = len([entry for entry in self._coming if entry[0] <= at])
        self._coming.insert(place, [at, data])

    def expect(self, *answers):
        """Adds answers to the segments to come."""
        self._answers.extend(answers)

    def got(self, segment):
        self.segments.append(segment)
        answer = self._answers.pop(0) if self._answers else None
        if callable(answer):
            answer = answer(segment)
        if answer is None:
            return
        for ms, data in answer if isinstance(answer, list) else [(0, answer)]:
            self.say(data, self.latency + ms)

    def due(self):
        """Milliseconds until there is something to read; None: never."""
        return max(0, self._coming[0][0] - self.clock.passed) if self._coming else None

    def take(self, size):
        if self.due() != 0:
            raise RuntimeError("recv() on a socket with nothing to read would wait for ever")
        at, data = self._coming[0]
        if data is END:
            return b""
        if len(data) > size:
            self._coming[0] = [at, data[size:]]
        else:
            self._coming.pop(0)
        return data[:size]


class _Socket:
    def __init__(self, peer):
        self._peer = peer
        self.timeouts = []

    def settimeout(self, seconds):
        assert seconds is None or seconds > 0, seconds
        self.timeouts.append(seconds)

    def setsockopt(self, *option):
        pass

    def connect(self, address):
        self._peer.address = address
        self._peer.met = self._peer.clock.passed
        self._wait_for(self._peer.met + self._peer.joins)
        if self._peer.fault:
            raise self._peer.fault

    def _wait_for(self, ms):
        """Until ms on the clock, or the OSError of a socket's own time-out."""
        patience = int(self.timeouts[-1] * 1000)
        clock = self._peer.clock
        if clock.passed + patience < ms:
            clock.passed += patience
            _NUMBERS.append(_NUMBERS.pop(0))
            raise OSError(_NUMBERS[0])
        clock.passed = max(clock.passed, ms)

    def send(self, data):
        if self._peer.closed:
            raise OSError(9)  # EBADF
        if self._peer.broken:
            raise self._peer.broken
        self._wait_for(self._peer.full)
        data = bytes(data)[: self._peer.takes] if self._peer.takes else bytes(data)
        self._peer.got(data)
        return len(data)

    def recv(self, size):
        if self._peer.broken:
            raise self._peer.broken
        return self._peer.take(size)

    def close(self):
        self._peer.closed += 1


class _Poll:
    def __init__(self, clock):
        self._clock = clock

    def register(self, sock, flags):
        self._sock = sock
        self._flags = flags

    def poll(self, ms):
        assert 0 <= ms < 1000000, ms
        if not isinstance(self._sock, _Socket):
            return []  # a stream that stands in for TLS, which holds nothing back
        peer = self._sock._peer
        if self._flags & 4:
            left = max(0, peer.met + peer.joins - self._clock.passed)
            self._clock.passed += min(ms, left)
            return [(self._sock, 4 | 24 * bool(peer.fault))] if left <= ms else []
        due = 0 if peer.broken else peer.due()
        if due is not None and due <= ms:
            self._clock.passed += due
            return [(self._sock, 1)]
        self._clock.passed += ms
        return []


class _Network:
    """In the place of dynreg.tls's socket and select; the peers are met in their order."""

    SOCK_STREAM, AF_INET = 1, 2
    POLLIN, POLLOUT, POLLHUP = 1, 4, 16

    def __init__(self, clock, peers):
        self._clock = clock
        self._left = list(peers)
        self.lookups = []
        self.sockets = []
        for peer in peers:
            peer.clock = clock

    def add(self, *peers):
        for peer in peers:
            peer.clock = self._clock
        self._left.extend(peers)

    def getaddrinfo(self, host, port_number, *hints):
        self.lookups.append((host, port_number))
        if host == "no.such.host":
            raise OSError(-2)
        return [(2, 1, 6, "", (host, port_number))]

    def socket(self, *hints):
        peer = self._left.pop(0) if self._left else Peer(fault=OSError(errno.ECONNREFUSED))
        peer.clock = self._clock
        self.sockets.append(_Socket(peer))
        return self.sockets[-1]

    def poll(self):
        return _Poll(self._clock)


def network(clock, *peers):
    """All connections lead to these peers, TLS left out: what TLS would carry is what they see."""
    net = _Network(clock, peers)
    replace(tls, "socket", net)
    replace(tls, "select", net)
    replace(link, "select", net)
    replace(tls, "psk_context", lambda identity, key: None)
    replace(tls, "handshake", lambda wire, host, context: wire)
    return net
