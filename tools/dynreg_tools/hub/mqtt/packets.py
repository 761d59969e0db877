"""MQTT 3.1 and 3.1.1 packets of a client, decoded strictly and without I/O.

`decode` turns one frame into a packet; everything the standard forbids raises Malformed. Source:
MQTT Version 3.1.1, OASIS Standard, chapter 3. MQTT V3.1 Protocol Specification, which differs in
the name and the level, and in DUP (framing.py).
"""

from dataclasses import dataclass

from . import framing
from .framing import Malformed

NEW, OLD = ("MQTT", 4), ("MQIsdp", 3)  # name and level of MQTT 3.1.1 and 3.1
_MAX_QOS = 2


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT; of protocols but NEW and OLD no more is decoded. `keepalive` in seconds."""

    level: int
    client_id: str = ""
    keepalive: int = 0
    clean: bool = True
    will: bool = False
    username: str | None = None
    password: bytes | None = None
    name: str = "MQTT"

    @property
    def protocol(self) -> tuple[str, int]:
        """Name and level."""
        return self.name, self.level


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A SUBSCRIBE with (filter, requested QoS) pairs."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """An UNSUBSCRIBE."""

    packet_id: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Puback:
    """A PUBACK for a message the server sent."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pingreq:
    """A PINGREQ."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A DISCONNECT."""


Packet = Connect | Publish | Subscribe | Unsubscribe | Puback | Pingreq | Disconnect


class _Fields:
    """Reads the fields of one frame's body in order."""

    def __init__(self, frame: bytes) -> None:
        self.at = 1
        while frame[self.at] & 128:
            self.at += 1
        self.at += 1
        self.frame = frame

    def left(self) -> int:
        return len(self.frame) - self.at

    def take(self, size: int) -> bytes:
        if self.left() < size:
            raise Malformed("packet ends in the middle of a field")
        self.at += size
        return self.frame[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def word(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def packet_id(self) -> int:
        number = self.word()
        if number == 0:
            raise Malformed("packet id 0")
        return number

    def binary(self) -> bytes:
        return self.take(self.word())

    def text(self) -> str:
        try:
            text = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("text that is not UTF-8") from None
        if "\0" in text:
            raise Malformed("text with U+0000")
        return text

    def end(self) -> None:
        if self.left():
            raise Malformed(f"{self.left()} bytes after the packet's last field")


def decode(frame: bytes) -> Packet:
    """One frame from Framer as a packet; Malformed when its body breaks the standard."""
    fields = _Fields(frame)
    packet = _DECODERS[frame[0] >> 4](fields, frame[0] & 15)
    if not isinstance(packet, Connect) or packet.protocol in (NEW, OLD):
        fields.end()
    return packet


def _connect(fields: _Fields, _flags: int) -> Connect:
    name, level = fields.text(), fields.byte()
    if name != "MQTT" and (name, level) != OLD:
        raise Malformed("protocol name is not MQTT")
    if (name, level) not in (NEW, OLD):
        return Connect(level)
    flags = fields.byte()
    will, will_qos, will_retain = flags & 4, flags >> 3 & 3, flags & 32
    if flags & 1:
        raise Malformed("reserved CONNECT flag is set")
    if will_qos > _MAX_QOS or (not will and (will_qos or will_retain)):
        raise Malformed("will flags contradict each other")
    if flags & 64 and not flags & 128:
        raise Malformed("password without username")
    keepalive, client_id = fields.word(), fields.text()
    if will:
        _check_topic(fields.text())
        fields.binary()
    username = fields.text() if flags & 128 else None
    password = fields.binary() if flags & 64 else None
    return Connect(
        level, client_id, keepalive, bool(flags & 2), bool(will), username, password, name
    )


def _publish(fields: _Fields, flags: int) -> Publish:
    qos, dup = flags >> 1 & 3, bool(flags & 8)
    if qos > _MAX_QOS:
        raise Malformed("QoS 3")
    if dup and qos == 0:
        raise Malformed("DUP at QoS 0")
    topic = fields.text()
    _check_topic(topic)
    packet_id = fields.packet_id() if qos else 0
    return Publish(topic, fields.take(fields.left()), qos, bool(flags & 1), dup, packet_id)


def _subscribe(fields: _Fields, _flags: int) -> Subscribe:
    packet_id, filters = fields.packet_id(), []
    while fields.left():
        topic_filter, qos = fields.text(), fields.byte()
        _check_filter(topic_filter)
        if qos > _MAX_QOS:
            raise Malformed("requested QoS above 2")
        filters.append((topic_filter, qos))
    if not filters:
        raise Malformed("SUBSCRIBE without a filter")
    return Subscribe(packet_id, tuple(filters))


def _unsubscribe(fields: _Fields, _flags: int) -> Unsubscribe:
    packet_id, filters = fields.packet_id(), []
    while fields.left():
        filters.append(fields.text())
        _check_filter(filters[-1])
    if not filters:
        raise Malformed("UNSUBSCRIBE without a filter")
    return Unsubscribe(packet_id, tuple(filters))


def _check_topic(topic: str) -> None:
    if not topic:
        raise Malformed("empty topic")
    if "+" in topic or "#" in topic:
        raise Malformed("topic with a wildcard")


def _check_filter(topic_filter: str) -> None:
    if not topic_filter:
        raise Malformed("empty topic filter")
    *parents, last = topic_filter.split("/")
    if any("#" in level for level in parents) or ("#" in last and last != "#"):
        raise Malformed("# that is not a whole last level")
    if any("+" in level and level != "+" for level in (*parents, last)):
        raise Malformed("+ that is not a whole level")


_DECODERS = {
    framing.CONNECT: _connect,
    framing.PUBLISH: _publish,
    framing.SUBSCRIBE: _subscribe,
    framing.UNSUBSCRIBE: _unsubscribe,
    framing.PUBACK: lambda fields, _flags: Puback(fields.packet_id()),
    framing.PINGREQ: lambda _fields, _flags: Pingreq(),
    framing.DISCONNECT: lambda _fields, _flags: Disconnect(),
}
