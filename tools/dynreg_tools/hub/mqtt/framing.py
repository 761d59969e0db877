"""MQTT frames without I/O: cutting a byte stream into frames, and what a server sends.

Source: MQTT Version 3.1.1, OASIS Standard, chapter 2 (fixed header) and chapter 3; MQTT V3.1,
section 2.1 (DUP of what is sent again).
"""

import struct

MAX_REMAINING = 20 * 1024  # above the hub's 16 KB payload, so that the broker can say why
_LENGTH_BYTES = 4

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
_DUP = 8
_RESENT = (SUBSCRIBE, UNSUBSCRIBE)  # with DUP in MQTT 3.1, section 2.1
_FIXED_FLAGS = {CONNECT: 0, PUBACK: 0, SUBSCRIBE: 2, UNSUBSCRIBE: 2, PINGREQ: 0, DISCONNECT: 0}


class Malformed(ValueError):
    """Bytes that are no MQTT 3.1.1 packet a client may send; the message says why."""


class Framer:
    """Collects bytes and gives whole frames; `old` says that the client speaks MQTT 3.1."""

    old = False

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the network."""
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole frame, or None until more is fed; Malformed on a hopeless header."""
        if not self._buffer:
            return None
        kind, flags = self._buffer[0] >> 4, self._buffer[0] & 15
        if self.old and kind in _RESENT:
            flags &= ~_DUP
        if kind != PUBLISH and _FIXED_FLAGS.get(kind) != flags:
            raise Malformed(f"packet type {kind} with flags {flags} is not for a client to send")
        length = 0
        for index in range(_LENGTH_BYTES):
            if len(self._buffer) < index + 2:
                return None
            byte = self._buffer[index + 1]
            length |= (byte & 127) << (7 * index)
            if byte < 128:  # the top bit says that more follows
                break
        else:
            raise Malformed("remaining length of more than 4 bytes")
        if length > MAX_REMAINING:
            raise Malformed(f"packet of {length} bytes, over {MAX_REMAINING}")
        end = index + 2 + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[:end])
        del self._buffer[:end]
        return frame


def _frame(first: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while True:
        length, low = length >> 7, length & 127
        encoded.append(low | (128 if length else 0))
        if not length:
            return bytes((first,)) + bytes(encoded) + body


def connack(code: int, *, session_present: bool = False) -> bytes:
    """CONNACK with return code `code`."""
    return _frame(CONNACK << 4, bytes((session_present, code)))


def publish(
    topic: str, payload: bytes, qos: int = 0, packet_id: int = 0, dup: bool = False
) -> bytes:
    """PUBLISH to a subscriber; `packet_id` is needed from QoS 1 on, `dup` where sent before."""
    name = topic.encode()
    number = struct.pack(">H", packet_id) if qos else b""
    first = PUBLISH << 4 | dup << 3 | qos << 1
    return _frame(first, struct.pack(">H", len(name)) + name + number + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK for a client's QoS 1 message."""
    return _frame(PUBACK << 4, struct.pack(">H", packet_id))


def suback(packet_id: int, code: int) -> bytes:
    """SUBACK for one filter: granted QoS, or 0x80 for a refusal."""
    return _frame(SUBACK << 4, struct.pack(">HB", packet_id, code))


def unsuback(packet_id: int) -> bytes:
    """UNSUBACK."""
    return _frame(UNSUBACK << 4, struct.pack(">H", packet_id))


def pingresp() -> bytes:
    """PINGRESP."""
    return _frame(PINGRESP << 4, b"")
