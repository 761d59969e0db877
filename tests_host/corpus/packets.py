"""MQTT 3.1.1 packets, written from the standard alone: the tests' one codec, on both interpreters.

What a client sends, what a broker answers, and how either is read; good packets unless asked for
others. The hub and dynreg have codecs of their own, which are what is tested.
"""

import io

CONNACK = b"\x20\x02\0\0"
PINGREQ, PINGRESP, DISCONNECT = b"\xc0\0", b"\xd0\0", b"\xe0\0"


def packet(head, body=b""):
    """A packet with its remaining length (2.2.3)."""
    out, size = bytes((head,)), len(body)
    while size > 127:
        out += bytes((size & 127 | 128,))
        size >>= 7
    return out + bytes((size,)) + body


def text(value):
    """A length and UTF-8 (1.5.3)."""
    value = value.encode() if isinstance(value, str) else value
    return number(len(value)) + value


def number(value):
    return bytes((value >> 8, value & 255))


def connect(client_id, user=None, password=None, keepalive=60, **changes):
    """A CONNECT with clean session (3.1); changes: name, level, flags, will, tail (more bytes)."""
    given = [field for field in (user, password) if field is not None]
    flags = 2 | (user is not None) << 7 | (password is not None) << 6
    body = text(changes.get("name", "MQTT"))
    body += bytes((changes.get("level", 4), changes.get("flags", flags))) + number(keepalive)
    body += text(client_id) + changes.get("will", b"") + b"".join(text(field) for field in given)
    return packet(0x10, body + changes.get("tail", b""))


def connack(code):
    return b"\x20\x02\0" + bytes((code,))


def subscribe(pid, *topics, qos=0):
    return packet(0x82, number(pid) + b"".join(text(topic) + bytes((qos,)) for topic in topics))


def suback(pid, code=0):
    return packet(0x90, number(pid) + bytes((code,)))


def unsubscribe(pid, *topics):
    return packet(0xA2, number(pid) + b"".join(text(topic) for topic in topics))


def unsuback(pid):
    return packet(0xB0, number(pid))


def publish(topic, message=b"x", pid=None, flags=None):
    """QoS 0, or QoS 1 with a packet id; flags: others than those of the fixed header (3.3.1)."""
    if flags is None:
        flags = 0 if pid is None else 2
    return packet(0x30 | flags, text(topic) + (b"" if pid is None else number(pid)) + message)


def puback(pid):
    return packet(0x40, number(pid))


def read(take):
    """(first byte, body) of the next packet; take(count) gives so many bytes or raises."""
    first, size, shift = take(1)[0], 0, 0
    while True:
        byte = take(1)[0]
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first, take(size)


def split(stream):
    """The packets of a byte stream; ValueError where the last one is not whole."""
    rest, found, at = io.BytesIO(stream), [], 0

    def take(count):
        data = rest.read(count)
        if len(data) < count:
            raise ValueError(stream)
        return data

    while at < len(stream):
        read(take)
        found.append(stream[at : rest.tell()])
        at = rest.tell()
    return found
