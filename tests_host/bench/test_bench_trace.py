"""What is counted on the link, on packets made by hand."""

import socket
import struct

import pytest

from dynreg_tools.bench import trace
from dynreg_tools.bench.errors import BenchError

MS = 1_000_000
SYN, ACK, PSH, FIN = 0x02, 0x10, 0x08, 0x01


def noted(at_ms, to_client, flags, payload=0, port=40000, due=100, lost=False, protocol=6):
    """An entry as forwarder.py makes it, of a TCP packet without options."""
    ports = (8883, port) if to_client else (port, 8883)
    ip = struct.pack("!BBHHHBBH8x", 0x45, 0, 40 + payload, 0, 0, 64, protocol, 0)
    tcp = struct.pack("!HHIIBBHHH", *ports, 0, 0, 5 << 4, flags, 0, 0, 0)
    entered, due = at_ms * MS, (at_ms + due) * MS
    return [entered, due, None if lost else due, to_client, 40 + payload, (ip + tcp).hex()]


CONVERSATION = [
    noted(0, False, ACK | FIN, port=39999),  # an earlier boot's
    noted(10, False, SYN),
    noted(110, True, SYN | ACK),
    noted(210, False, ACK),
    noted(211, False, ACK | PSH, 100),
    noted(311, True, ACK),
    noted(312, True, ACK | PSH, 50),  # arrives at 412: what the client waited for
    noted(412, False, ACK),
    noted(413, False, FIN | ACK),
]


def test_from_the_first_syn_to_the_last_payload_for_the_client():
    seen = trace.seen(CONVERSATION, 200)
    assert seen.rtt == pytest.approx((412 - 10) / 200)
    assert (seen.packets, seen.bytes) == (6, 6 * 40 + 150)
    assert (seen.packets_without_acks, seen.bytes_without_acks) == (4, 4 * 40 + 150)
    assert seen.connections == 1


def test_a_lost_packet_was_on_the_link_but_never_arrived():
    entries = [*CONVERSATION[:6], noted(312, True, ACK | PSH, 50, lost=True)]
    again = noted(600, True, ACK | PSH, 50)
    seen = trace.seen([*entries, again], 200)
    assert seen.rtt == pytest.approx((700 - 10) / 200)
    assert (seen.packets, seen.bytes) == (7, 7 * 40 + 200)


def test_other_protocols_do_not_count():
    others = [noted(11, False, 0, 20, protocol=socket.IPPROTO_UDP)]
    assert trace.seen([*CONVERSATION, *others], 200) == trace.seen(CONVERSATION, 200)


def test_nothing_that_came_back_is_an_error_and_no_figure():
    with pytest.raises(BenchError, match="nothing came back"):
        trace.seen(CONVERSATION[:5], 200)
