"""From the packets that the link noted to round trips, bytes and packets.

Exactly what is counted: from the client's first SYN entering the link, to the arrival of the time
reply, which is the delivery to the client of the last packet with TCP payload that came before the
client said that its clock was set. Round trips are the time between the two, divided by the link's
round trip: so what both ends compute in between is in. Bytes are whole IP packets, both ways,
lost ones too, of connections opened in that time. The client's ACK of the reply comes after it.

How many pure ACKs there are depends on how fast each end computes (delayed ACKs), so a busy
machine sees some more. bytes_without_acks and packets_without_acks leave them out, and are the
same on every run.
"""

import socket
import statistics
import struct
from dataclasses import dataclass

from .errors import BenchError
from .forwarder import DELIVERED, DUE

_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment on the link; times in ns, size of its IP packet and payload in bytes."""

    entered: int
    delivered: int | None
    to_client: bool
    size: int
    client_port: int
    opens: bool
    pure_ack: bool
    payload: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What one boot took on the link."""

    rtt: float
    bytes: int
    packets: int
    bytes_without_acks: int
    packets_without_acks: int
    connections: int


def segments(noted: list[list]) -> list[Segment]:
    """The TCP segments among the packets noted by forwarder.py, in the order they entered."""
    found = []
    for entered, _, delivered, to_client, size, head in noted:
        packet = bytes.fromhex(head)
        if packet[9] != socket.IPPROTO_TCP:
            continue
        start = (packet[0] & 15) * 4
        source, destination, offset, flags = struct.unpack_from("!HH8xBB", packet, start)
        port = destination if to_client else source
        payload = size - start - (offset >> 4) * 4
        opens = flags & (_SYN | _ACK) == _SYN and not to_client
        pure_ack = not payload and not flags & (_FIN | _SYN | _RST)
        found.append(Segment(entered, delivered, to_client, size, port, opens, pure_ack, payload))
    return found


def seen(noted: list[list], rtt_ms: float) -> Seen:
    """What was seen until the last payload came to the client. BenchError when none did."""
    every = segments(noted)
    opened = {segment.client_port for segment in every if segment.opens}
    # What remains of a boot before this one has a port that was not opened here.
    ours = [segment for segment in every if segment.client_port in opened]
    arrivals = [s.delivered for s in ours if s.to_client and s.payload and s.delivered]
    if not arrivals:
        raise BenchError("nothing came back to the client over the link")
    began, arrived = ours[0].entered, max(arrivals)
    counted = [segment for segment in ours if segment.entered < arrived]
    sizes = [segment.size for segment in counted]
    spoken = [segment.size for segment in counted if not segment.pure_ack]
    return Seen(
        rtt=(arrived - began) / (rtt_ms * 1e6),
        bytes=sum(sizes),
        packets=len(sizes),
        bytes_without_acks=sum(spoken),
        packets_without_acks=len(spoken),
        connections=len(opened),
    )


def lateness_ms(noted: list[list]) -> list[float]:
    """How much later than asked for each packet was delivered, in milliseconds."""
    return [(entry[DELIVERED] - entry[DUE]) / 1e6 for entry in noted if entry[DELIVERED]]


def worst_and_usual(lateness: list[float]) -> dict:
    """The forwarder's jitter, for the report."""
    return {
        "late_ms_median": round(statistics.median(lateness), 3) if lateness else None,
        "late_ms_worst": round(max(lateness), 3) if lateness else None,
    }
