"""The access point's sockets: names and requests, as they come, so that none holds another up."""

import errno

import usocket as socket
from micropython import const
from uselect import POLLIN, POLLOUT, poll

from ... import port
from ...errors import NetworkError
from . import dns, http

_STEP_MS = const(200)
_CONNECTIONS = const(4)
_REQUEST_MS = const(5000)  # for a request to come, and for its reply to go
_DRAIN_MS = const(1000)
_PIECE = const(1024)
_QUERIES = const(8)  # answered at once
_WAITS = (errno.EAGAIN, errno.ETIMEDOUT)


class Server:
    """On ports 53 and 80 of address; NetworkError. answer: as Portal.answer()."""

    def __init__(self, address, answer):
        self.answer = answer
        self.poll = poll()
        self._numbers = bytes([int(part) for part in address.split(".")])
        self._all = []  # the listener, the names', the connections'
        try:
            for kind, number in ((socket.SOCK_STREAM, 80), (socket.SOCK_DGRAM, 53)):
                sock = socket.socket(socket.AF_INET, kind)
                self._all.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(socket.getaddrinfo(address, number)[0][-1])
                sock.setblocking(False)
                self.poll.register(sock, POLLIN)
            self._all[0].listen(_CONNECTIONS)
        except OSError as error:
            self.close()
            raise NetworkError("network.wifi", "no socket for the page: %r" % error) from None

    def close(self):
        for one in self._all:
            one.close()

    def step(self):
        """What is due, 0.2 s at most."""
        port.wait(self.poll, _STEP_MS)
        port.idle()
        listener, names, *connections = self._all
        try:
            for _ in range(_QUERIES):
                query, sender = names.recvfrom(dns.MOST + 1)
                reply = dns.answer(query, self._numbers)
                if reply:
                    names.sendto(reply, sender)
        except OSError:
            pass  # none waits, or who has asked is gone
        for one in connections:
            if not one.step():
                self._drop(one)
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        if len(self._all) == _CONNECTIONS + 2:  # the oldest that is not being answered
            self._drop(min(self._all[2:], key=lambda one: one.reply is not None))
        sock.setblocking(False)
        self.poll.register(sock, POLLIN)
        self._all.append(Connection(sock, self))

    def _drop(self, one):
        self._all.remove(one)
        self.poll.unregister(one.sock)
        one.close()


class Connection:
    """One request and its reply."""

    def __init__(self, sock, server):
        self.sock = sock
        self.close = sock.close
        self._server = server
        self._data = b""
        self.reply = None
        self._within(_REQUEST_MS)

    def _within(self, ms):
        self._end = port.ticks_add(port.ticks_ms(), ms)

    def step(self):
        """Reads or writes what can be at once; False where it is over."""
        late = port.ticks_diff(port.ticks_ms(), self._end) >= 0
        try:
            if self.reply is None:
                if not self._read(late):
                    return True
                if late:
                    self._within(_DRAIN_MS)
                    late = False
            if self.reply:
                sent = self.sock.send(self.reply[0])
                self.reply[0] = self.reply[0][sent:]
                if not self.reply[0]:
                    self.reply.pop(0)
                if not self.reply:  # close() now might take it from who has not read it yet
                    self._within(_DRAIN_MS)
                    self._server.poll.modify(self.sock, POLLIN)
                return not late
            return not late and self.sock.recv(_PIECE) != b""
        except (OSError, MemoryError) as error:
            return isinstance(error, OSError) and error.errno in _WAITS and not late

    def _read(self, late):
        """Whether there is a reply. OSError: there is nothing to read, or it is over."""
        try:
            if late:
                raise http.Refused(408)
            data = self.sock.recv(_PIECE)
            if not data:
                raise OSError(errno.ECONNRESET)
            self._data += data
            request = http.parse(self._data)
            if not request:
                return False
            self.reply = self._server.answer(*request)
        except http.Refused as refused:
            more = "Allow: GET, HEAD, POST\r\n" if refused.status == 405 else ""
            self.reply = http.reply(refused.status, more=more)
        self._data = b""
        self._server.poll.modify(self.sock, POLLOUT)
        return True
