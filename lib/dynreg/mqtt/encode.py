"""MQTT 3.1.1 packets as bytes."""


def packet(head, *fields, size=0):
    """One packet with its remaining length (2.2.3): bytes as they are, str with its length.

    head: the first byte. size: bytes of the packet that the caller sends himself afterwards.
    """
    body = b""
    for field in fields:
        data = field
        if isinstance(field, str):
            data = field.encode()
            body += len(data).to_bytes(2, "big")
        body += data
    size += len(body)
    out = bytes((head,))
    while size > 127:
        out += bytes((size & 127 | 128,))
        size >>= 7
    return out + bytes((size,)) + body


def subscribe_packet(pid, topic, qos):
    return packet(0x82, pid.to_bytes(2, "big"), topic, bytes((qos,)))


def ask_time(pid, owner):
    """SUBSCRIBE to the time's topic and the request for it (docs/protocol.md, 6).

    pid: of the SUBSCRIBE; None leaves it out.
    """
    request = packet(0x30, "$sys/operation/" + owner, b'{"type":"get","resource":["time"]}')
    return (subscribe_packet(pid, "$sys/operation/result/" + owner, 0) if pid else b"") + request
