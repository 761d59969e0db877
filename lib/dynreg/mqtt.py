"""MQTT 3.1.1 packets as bytes."""


def packet(head, *fields, more=0):
    """One packet with its remaining length (2.2.3): bytes as they are, str with its length.

    head: the first byte. more: bytes of the packet that the caller sends himself afterwards.
    """
    body = b""
    for field in fields:
        if isinstance(field, str):
            text = field.encode()
            body += len(text).to_bytes(2, "big") + text
        else:
            body += field
    more += len(body)
    out = bytes((head,))
    while more > 127:
        out += bytes((more & 127 | 128,))
        more >>= 7
    return out + bytes((more,)) + body


def subscribe(pid, topic, qos):
    return packet(0x82, pid.to_bytes(2, "big"), topic, bytes((qos,)))


def ask_time(pid, where):
    """SUBSCRIBE to the time's topic and the request for it (docs/protocol.md, 6).

    where: "{productId}/{deviceName}".
    """
    return subscribe(pid, "$sys/operation/result/" + where, 0) + packet(
        0x30, "$sys/operation/" + where, b'{"type":"get","resource":["time"]}'
    )
