"""MQTT 3.1.1 packets on a link: what umqtt.simple does not do well.

SUBSCRIBE, UNSUBSCRIBE and PUBLISH with QoS 1, and reading without asserts, with a deadline and a
size limit. Session builds on it.
"""

from micropython import const

from .. import log, port
from ..errors import LoginError, NetworkError, ProtocolError

_ANSWER_MS = const(10000)  # for each of SUBACK, PUBACK, UNSUBACK
_LARGEST = const(16384)  # bytes of one message, both ways (docs/protocol.md, 4)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_UNSUBACK = const(11)
_PINGRESP = const(13)


class Packets:
    """Writes and reads packets; _deliver(topic, message) gets what was published."""

    link: "Link"  # noqa: F821  # pyright: ignore[reportUndefinedVariable] (of connect/link.py)

    def __init__(self):
        self.connected = False
        self.link = None  # pyright: ignore
        self.acks = {}  # packet id: what its acknowledgement said, None before it came
        self._pid = 0
        self._sent = self._heard = port.ticks_ms()
        self._pinged = None

    def close(self):
        """Closes without a word."""
        link, self.link, self.connected = self.link, None, False  # pyright: ignore
        if link:
            link.close()

    def send(self, data=b""):
        """Writes data and sends all that was gathered; ticks_ms then. NetworkError."""
        if not self.connected or self.link.broken:
            raise NetworkError("network.closed", "not connected")
        self.link.within(_ANSWER_MS)
        self.link.write(data)
        self.link.flush()
        self._sent = port.ticks_ms()
        return self._sent

    def next_pid(self):
        """A packet id whose acknowledgement acks is to note."""
        self._pid = self._pid % 65535 + 1
        self.acks[self._pid] = None
        return self._pid

    def wait_suback(self, pid, topic):
        """NetworkError where none comes, LoginError where it says that topic is not granted."""
        granted = self.wait_ack(pid, "SUBACK")
        if granted > 1:
            raise LoginError("subscribe.refused", "the broker does not grant %s" % topic)

    def wait_ack(self, pid, name):
        """What the acknowledgement of pid says; NetworkError where none comes in time."""
        try:
            if not self.wait(lambda: self.acks[pid] is not None, _ANSWER_MS):
                raise NetworkError("network.timeout", "no %s after 10 s" % name)
            return self.acks[pid]
        finally:
            self.acks.pop(pid, None)

    def wait(self, done, ms):
        """Reads packets until done() says so; False where that is not within ms milliseconds."""
        end = port.ticks_add(port.ticks_ms(), ms)
        while not done():
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                return False
            if not self.connected:
                raise NetworkError("network.closed", "not connected")
            if self.link.ready(left):
                self.receive()
        return True

    def receive(self):
        """Reads one packet and acts on it."""
        link = self.link
        link.within(_ANSWER_MS)
        head = link.read(1)[0]
        self._heard = port.ticks_ms()
        try:
            if head & 0xF4 == 0x34:  # QoS 2 is never granted, QoS 3 does not exist
                raise ValueError
            size = shift = 0
            byte = 0x80
            while byte & 0x80:
                if shift > 21:
                    raise ValueError
                byte = link.read(1)[0]
                size |= (byte & 0x7F) << shift
                shift += 7
            if size > _LARGEST + 300:
                self._skip(head, size)
            else:
                self._act(head, link.read(size))
        except (IndexError, ValueError):
            raise ProtocolError(
                "protocol.mqtt", "the broker sends a malformed packet", retry=True
            ) from None

    def _skip(self, head, size):
        """Reads past a message that is too large, and acknowledges it: else it comes for ever."""
        log.warning("message of %d bytes skipped" % size)
        read = self.link.read
        pid = b""
        if head & 6:
            topic = int.from_bytes(read(2), "big")
            size -= 4 + topic
            while topic > 0:
                topic -= len(read(min(topic, 256)))
            pid = read(2)
        while size > 0:
            size -= len(read(min(size, 256)))
        if pid:
            self.send(b"\x40\x02" + pid)

    def _act(self, head, data):
        kind = head >> 4
        if kind == _PUBLISH:
            start = 2 + (data[0] << 8 | data[1])
            if len(data) < start + (2 if head & 6 else 0):
                raise ValueError
            topic = data[2:start].decode()
            if head & 6:
                pid = data[start : start + 2]
                self._deliver(topic, data[start + 2 :])
                if self.connected:
                    self.send(b"\x40\x02" + pid)
            else:
                self._deliver(topic, data[start:])
        elif kind in (_PUBACK, _SUBACK, _UNSUBACK):
            pid = data[0] << 8 | data[1]
            if pid in self.acks:
                self.acks[pid] = data[2] if kind == _SUBACK else 0
        elif kind == _PINGRESP:
            self._pinged = None
        else:
            raise ValueError

    def _deliver(self, topic, message):
        """What to do with a message; Session knows."""
