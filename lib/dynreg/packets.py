"""MQTT packets on a link: what umqtt.simple does not do well.

A SUBSCRIBE that does not block, a QoS 1 PUBLISH, and reading without asserts, with a deadline and
a size limit. Session builds on it.
"""

import struct

from . import log, port
from .errors import LoginError, NetworkError, ProtocolError

ANSWER_MS = 10000  # for each of CONNACK with its handshake, SUBACK, time reply, PUBACK
LARGEST = 16384  # bytes of one message, both ways (docs/protocol.md, 4)
_PUBLISH, _PUBACK, _SUBACK, _UNSUBACK, _PINGRESP = 3, 4, 9, 11, 13


class Packets:
    """Writes and reads packets; _deliver(topic, message) gets what was published."""

    def __init__(self):
        self.connected = False
        self._link = None
        self._pid = 0
        self._acks = {}  # packet id: what its acknowledgement said, None before it came
        self._sent = self._heard = port.ticks_ms()
        self._pinged = None

    def close(self):
        """Closes without a word."""
        link, self._link, self.connected = self._link, None, False
        if link:
            link.close()

    def _open(self, link):
        """From now on packets go over link."""
        self._link = link
        self.connected = True
        self._pinged = None
        self._sent = self._heard = port.ticks_ms()

    def _deliver(self, topic, message):
        """What to do with a message; Session knows."""

    def _up(self):
        if not self.connected:
            raise NetworkError("network.closed", "not connected")

    def _flush(self):
        self._link.within(ANSWER_MS)
        self._link.flush()
        self._sent = port.ticks_ms()

    def _next_pid(self):
        self._pid = self._pid % 65535 + 1
        return self._pid

    def _ask(self, topic, qos):
        """Writes SUBSCRIBE (UNSUBSCRIBE for qos None), without waiting; the packet id."""
        self._up()
        pid = self._next_pid()
        topic = topic.encode()
        tail = b"" if qos is None else bytes((qos,))
        self._link.write(b"\xa2" if qos is None else b"\x82")
        self._link.write(_length(4 + len(topic) + len(tail)))
        self._link.write(struct.pack("!HH", pid, len(topic)) + topic + tail)
        self._acks[pid] = None
        return pid

    def _wait_suback(self, pid, topic):
        self._flush()
        try:
            self._wait(lambda: self._acks[pid] is not None, ANSWER_MS, "no SUBACK")
            granted = self._acks[pid]
        finally:
            self._acks.pop(pid, None)
        if granted > 1:
            raise LoginError("subscribe.refused", "the broker does not grant %s" % topic)

    def _wait(self, done, ms, fault):
        end = port.ticks_add(port.ticks_ms(), ms)
        while not done():
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                raise NetworkError("network.timeout", "%s after %d s" % (fault, ms // 1000))
            self._up()
            if self._link.ready(left):
                self._receive()

    def _receive(self):
        """Reads one packet and acts on it."""
        link = self._link
        link.within(ANSWER_MS)
        head = link.read(1)[0]
        self._heard = port.ticks_ms()
        size = shift = 0
        while True:
            byte = link.read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 21:
                raise _malformed()
        if size > LARGEST + 300:
            log.warning("message of %d bytes skipped" % size)
            while size > 0:
                size -= len(link.read(min(size, 256)))
            return
        body = link.read(size)
        try:
            self._act(head, body)
        except (IndexError, ValueError):
            raise _malformed() from None

    def _act(self, head, body):
        kind = head >> 4
        if kind == _PUBLISH:
            start = 2 + (body[0] << 8 | body[1])
            if len(body) < start + (2 if head & 6 else 0):
                raise ValueError
            topic = body[2:start].decode()
            if head & 6:
                acknowledge = b"\x40\x02" + body[start : start + 2]
                start += 2
                self._deliver(topic, body[start:])
                if self._link:
                    self._link.write(acknowledge)
                    self._flush()
            else:
                self._deliver(topic, body[start:])
        elif kind in (_PUBACK, _SUBACK, _UNSUBACK):
            pid = body[0] << 8 | body[1]
            if pid in self._acks:
                self._acks[pid] = body[2] if kind == _SUBACK else 0
        elif kind == _PINGRESP:
            self._pinged = None
        else:
            raise ValueError

    def _publish_qos1(self, topic, message):
        """Sends and waits for the PUBACK."""
        pid = self._next_pid()
        topic = topic.encode()
        head = b"\x32" + _length(2 + len(topic) + 2 + len(message))
        self._link.write(head + struct.pack("!H", len(topic)) + topic + struct.pack("!H", pid))
        self._link.write(message)
        self._flush()
        self._acks[pid] = None
        try:
            self._wait(lambda: self._acks[pid] is not None, ANSWER_MS, "no PUBACK")
        finally:
            self._acks.pop(pid, None)


def _malformed():
    return ProtocolError("protocol.mqtt", "the broker sends a malformed packet", retry=True)


def _length(size):
    """MQTT's remaining length (MQTT 3.1.1, 2.2.3)."""
    out = b""
    while True:
        byte, size = size & 0x7F, size >> 7
        out += bytes((byte | 0x80 if size else byte,))
        if not size:
            return out
