"""MQTT 3.1.1 packets on a link: what umqtt.simple does not do well.

Reading without asserts, with a deadline and a size limit; acknowledgements. Session builds on it.
"""

from micropython import const

from .. import log, port
from ..errors import LoginError, NetworkError, ProtocolError

_ANSWER_MS = const(10000)  # for each of SUBACK, PUBACK, UNSUBACK
_LARGEST = const(16384)  # bytes of one message, both ways (docs/protocol.md, 4)
_SMALL = const(256)  # bytes that are there, whatever the heap looks like
_SPARE = const(2048)  # bytes that reading a message needs besides the message
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_UNSUBACK = const(11)
_PINGRESP = const(13)


class Packets:
    """Writes and reads packets; _deliver(topic, message, pid) gets what was published."""

    link: "Link"  # noqa: F821  # pyright: ignore[reportUndefinedVariable] (of connect/link.py)
    _sent: int  # ticks_ms
    _heard: int
    _pinged: int

    def __init__(self):
        self.link = None  # pyright: ignore
        self.acks = {}  # packet id: what its acknowledgement said, None before it came
        self._pid = 0

    @property
    def connected(self):
        """Whether the connection stands, as far as is known."""
        return bool(self.link and not self.link.broken)

    def close(self):
        """Closes without a word."""
        link, self.link = self.link, None  # pyright: ignore
        if link:
            link.close()

    def send(self, *parts):
        """Writes a packet and sends all that was gathered; ticks_ms then. NetworkError.

        ConfigError "busy" in the middle of another packet.
        """
        if not self.connected:
            raise NetworkError("network.closed", "not connected")
        with self.link as link:
            for part in parts:
                link.write(part)
            link.flush()
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
        acks = self.acks  # of this connection: the next one has its own
        try:
            if not self.wait(lambda: acks[pid] is not None, _ANSWER_MS):
                raise NetworkError("network.timeout", "no %s after 10 s" % name)
            return acks[pid]
        finally:
            acks.pop(pid, None)

    def wait(self, done, ms):
        """Reads packets until done() says so; False where that is not within ms milliseconds."""
        link = self.link
        end = port.ticks_add(port.ticks_ms(), ms)
        while not done():
            left = port.ticks_diff(end, port.ticks_ms())
            if left <= 0:
                return False
            if not self.connected or self.link is not link:
                raise NetworkError("network.closed", "not connected")
            if link.ready(left):
                self.receive()
        return True

    def receive(self):
        """Reads one packet and acts on it."""
        try:
            with self.link as link:
                found = self._read(link.read)
        except (IndexError, ValueError):
            raise ProtocolError(
                "protocol.mqtt", "the broker sends a malformed packet", retry=True
            ) from None
        if found:
            self._deliver(*found)

    def acknowledge(self, pid, link):
        """PUBACK, where pid says that one is due and its connection still stands."""
        if pid and self.connected and link is self.link:
            self.send(b"\x40\x02" + pid)

    def _read(self, read):
        """A message as (topic, message, packet id or b""); None for every other packet.

        A message that does not fit is read past, and is None. It is acknowledged all the same:
        else it comes for ever.
        """
        head = read(1)[0]
        self._heard = port.ticks_ms()
        self._pinged = None  # whatever it is, the broker lives
        kind = head >> 4
        size = shift = 0
        byte = 0x80
        while byte & 0x80:
            if shift > 21:
                raise ValueError
            byte = read(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
        if kind != _PUBLISH:
            if size > _SMALL:
                raise ValueError
            data = read(size)
            if kind in (_PUBACK, _SUBACK, _UNSUBACK):
                pid = data[0] << 8 | data[1]
                answer = data[2] if kind == _SUBACK else 0
                if pid in self.acks:
                    self.acks[pid] = answer
            elif kind != _PINGRESP:
                raise ValueError
            return None
        if head & 4 or size < 2:  # QoS 2 is never granted, QoS 3 does not exist
            raise ValueError
        count = int.from_bytes(read(2), "big")
        left = size - 2 - count - (head & 2)
        if left < 0:
            raise ValueError
        fits = left <= _LARGEST and count < 256
        if fits and left > _SMALL:
            try:  # here, where nothing of it is read yet, with what TLS needs to read it
                bytearray(left + _SPARE)
            except MemoryError:
                fits = False
        topic = read(count).decode() if count < 256 else self._skip(count)
        pid = read(2) if head & 2 else b""
        if fits:
            return topic, read(left), pid
        self._skip(left)
        log.warning("message of %d bytes skipped on %s: no room for it" % (size, topic))
        return topic, None, pid

    def _skip(self, size):
        while size > 0:
            self.link.within(_ANSWER_MS)
            size -= len(self.link.read(min(size, 256)))

    def _deliver(self, topic, message, pid):
        """What to do with a message, None for one that was read past; Session knows."""
