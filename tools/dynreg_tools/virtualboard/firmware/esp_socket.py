"""socket as on an ESP32. Device side.

What differs from the unix port: addresses are tuples, errors carry the ESP32's numbers,
setblocking() replaces a timeout set before (so a naive client waits for ever), nothing is
reachable before Wi-Fi has joined.
"""

import io as _io

import _board
import esp_dns as _dns
import esp_errno as _errno
import esp_network as _network

_native = _board.native["socket"]
_poll = _board.native["select"].poll

AF_INET = 2
AF_INET6 = 10
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
IPPROTO_IP = 0
IPPROTO_TCP = 6
IPPROTO_UDP = 17
SOL_SOCKET = 0xFFF
SO_REUSEADDR = 4
SO_BROADCAST = 0x20
SO_BINDTODEVICE = 0x100B
IP_ADD_MEMBERSHIP = 3
TCP_NODELAY = 1
MSG_PEEK = 1
MSG_DONTWAIT = 8

_UNANSWERED = (11, 110)  # EAGAIN, ETIMEDOUT: how the host says that a timeout has run out
_DNS_FAILED = -202
_OPTIONS = {SO_REUSEADDR: _native.SO_REUSEADDR, SO_BROADCAST: _native.SO_BROADCAST}


def _host_address(address):
    host, port = address
    return _lookup(host or "0.0.0.0", port, SOCK_STREAM)


def _lookup(host, port, kind):
    if _board.config["dns"] and host != "localhost" and not _numeric(host):
        host = _dns.lookup(host)
        if host is None:
            raise OSError(_DNS_FAILED)
    try:
        return _native.getaddrinfo(host, int(port), _native.AF_INET, kind)[0][-1]
    except OSError:
        raise OSError(_DNS_FAILED) from None


def _numeric(host):
    return not host.strip("0123456789.")


def _host_flags(flags):
    return (_native.MSG_PEEK if flags & MSG_PEEK else 0) | (
        _native.MSG_DONTWAIT if flags & MSG_DONTWAIT else 0
    )


def _address(raw):
    parts = _native.sockaddr(raw)
    return (".".join(str(byte) for byte in parts[1]), parts[2])


def _up():
    return _network._joined() or _network._point["on"]


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    if not _up():
        raise OSError(_DNS_FAILED)
    raw = _lookup(host or "0.0.0.0", port, type or SOCK_STREAM)
    return [(AF_INET, type or SOCK_STREAM, proto, "", _address(raw))]


class socket(_io.IOBase):
    def __init__(self, *args):
        self._waits = True  # blocking, with or without a timeout
        self._seconds = None
        if args and isinstance(args[0], _native.socket):
            self._raw = args[0]  # as accept() got it
        else:
            if len(args) > 3:
                raise TypeError("function expected at most 3 arguments, got %d" % len(args))
            for value in args:
                if not isinstance(value, int):
                    raise TypeError("can't convert %s to int" % type(value).__name__)
            kind = args[1] if len(args) > 1 else SOCK_STREAM
            self._raw = self._call(_native.socket, _native.AF_INET, kind, *args[2:])

    def __repr__(self):
        return "<socket>"

    def _call(self, method, *args):
        try:
            return method(*args)
        except OSError as error:
            if _board.fast and error.errno in _UNANSWERED and self._seconds:
                ms = self._seconds * 1000
                _board.fast.skip(ms - _board.fast.real_ms(ms))
            raise OSError(self._number(error.errno)) from None

    def _number(self, number):
        if number in _UNANSWERED and self._waits:
            return _errno.ETIMEDOUT
        return _errno.from_host(number)

    def settimeout(self, seconds):
        self._waits = seconds != 0
        # a blocking start first: the host keeps O_NONBLOCK and the timeout apart
        self._raw.setblocking(True)
        self._seconds = seconds
        if seconds and _board.fast:
            seconds = _board.fast.real_ms(seconds * 1000) / 1000
        self._raw.settimeout(seconds)

    def setblocking(self, flag):
        self.settimeout(None if flag else 0)

    def connect(self, address):
        if not _network._joined():
            raise OSError(_errno.EHOSTUNREACH)
        self._call(self._raw.connect, _host_address(address))

    def bind(self, address):
        number = _network._point_port(address)
        if number:
            address = address[0], number
        self._call(self._raw.bind, _host_address(address))

    def listen(self, backlog=2):
        self._call(self._raw.listen, backlog)

    def accept(self):
        raw, address = self._call(self._raw.accept)
        return socket(raw), _address(address)

    def setsockopt(self, level, option, value):
        if level == SOL_SOCKET:
            if option not in _OPTIONS:
                return
            level, option = _native.SOL_SOCKET, _OPTIONS[option]
        self._call(self._raw.setsockopt, level, option, value)

    def send(self, data):
        return self._call(self._raw.send, data)

    def sendall(self, data):
        self._call(self._raw.write, data)

    def sendto(self, data, address):
        if not _up():
            raise OSError(_errno.EHOSTUNREACH)
        return self._call(self._raw.sendto, data, _host_address(address))

    def recv(self, size, flags=0):
        return self._call(self._raw.recv, size, _host_flags(flags))

    def recvfrom(self, size, flags=0):
        data, address = self._call(self._raw.recvfrom, size, _host_flags(flags))
        return data, _address(address)

    def read(self, *size):
        return self._call(self._raw.read, *size)

    def readinto(self, buffer, *size):
        return self._call(self._raw.readinto, buffer, *size)

    def readline(self, *size):
        return self._call(self._raw.readline, *size)

    def write(self, data, *rest):
        return self._call(self._raw.write, data, *rest)

    def makefile(self, *args):
        return self

    def fileno(self):
        return self._raw.fileno()

    def close(self):
        self._raw.close()

    def ioctl(self, request, arg):
        if request == 3:  # poll, asked by a TLS socket above
            poller = _poll()
            poller.register(self._raw, arg)
            ready = poller.poll(0)
            return ready[0][1] if ready else 0
        if request == 4:
            self.close()
            return 0
        if request == 10:  # the descriptor, so that select.poll can wait without spinning
            return self._raw.fileno()
        return -22


class _BelowTLS(_io.IOBase):
    """The same socket as TLS sees it: errors are returned as numbers, not raised through it."""

    def __init__(self, sock):
        self._sock = sock
        self.setblocking = sock.setblocking

    def readinto(self, buffer):
        try:
            # recv, not readinto: TLS asks for a buffer but takes what there is
            data = self._sock._raw.recv(len(buffer))
        except OSError as error:
            return -self._sock._number(error.errno)
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        try:
            return self._sock._raw.send(data)
        except OSError as error:
            return -self._sock._number(error.errno)

    def ioctl(self, request, arg):
        return self._sock.ioctl(request, arg)
