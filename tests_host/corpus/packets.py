"""MQTT 3.1.1 packets as a broker makes and reads them, written from the standard alone."""

CONNACK = b"\x20\x02\0\0"
PINGREQ, PINGRESP, DISCONNECT = b"\xc0\0", b"\xd0\0", b"\xe0\0"


def packet(head, body):
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


def connect(client_id, user, password, keepalive):
    """A CONNECT with clean session, user name and password (3.1)."""
    head = b"\0\x04MQTT\x04\xc2" + number(keepalive)
    return packet(0x10, head + text(client_id) + text(user) + text(password))


def connack(code):
    return b"\x20\x02\0" + bytes((code,))


def subscribe(pid, topic, qos=0):
    return packet(0x82, number(pid) + text(topic) + bytes((qos,)))


def suback(pid, code=0):
    return packet(0x90, number(pid) + bytes((code,)))


def unsubscribe(pid, topic):
    return packet(0xA2, number(pid) + text(topic))


def unsuback(pid):
    return packet(0xB0, number(pid))


def publish(topic, message, pid=None):
    """QoS 0, or QoS 1 with a packet id."""
    if pid is None:
        return packet(0x30, text(topic) + message)
    return packet(0x32, text(topic) + number(pid) + message)


def puback(pid):
    return packet(0x40, number(pid))


def split(stream):
    """The packets of a byte stream; ValueError where the last one is not whole."""
    found = []
    while stream:
        size = shift = 0
        place = 1
        while True:
            byte = stream[place]
            size |= (byte & 127) << shift
            place += 1
            shift += 7
            if byte < 128:
                break
        if len(stream) < place + size:
            raise ValueError(stream)
        found.append(stream[: place + size])
        stream = stream[place + size :]
    return found
