"""A small name server, so that a board can find the hub by a name, and fail to.

Its own name and all below it lead to the hub, and so do others that it is given. Source: RFC 1035
section 4 (messages), RFC 6761 (.test is nobody's).
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSHeader, DNSQuestion, DNSRecord
from dnslib.label import DNSBuffer, DNSLabelError

from ..later import later

NAME = "hub.test"
_TTL = 1


class DnsFaults(Protocol):
    """What may go wrong on purpose with a reply."""

    def dns(self, question: DNSRecord, good: DNSRecord) -> list[tuple[float, bytes]]:
        """(seconds to wait, packet) in the place of a reply."""
        ...


class NameServer(asyncio.DatagramProtocol):
    """Answers on one UDP socket with `address`; `asked` gets each name.

    `names` are more that it knows; `*.` before one stands for all below it.
    """

    def __init__(
        self,
        address: str,
        asked: Callable[[str], None],
        faults: DnsFaults,
        names: Iterable[str] = (),
    ) -> None:
        known = [name.encode("idna").decode().lower() for name in (NAME, f"*.{NAME}", *names)]
        self._names = {name for name in known if not name.startswith("*.")}
        self._parents = tuple(name[1:] for name in known if name.startswith("*."))
        self._address = address
        self._asked = asked
        self._faults = faults

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Keep the transport for the replies."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        """Answer one question; anything else is ignored."""
        question = _question(data)
        if question is None:
            return
        self._asked(str(question.q.qname).rstrip("."))
        for wait, packet in self._faults.dns(question, self._answer(question)):
            later(wait, self._transport.sendto, packet, addr)

    def _answer(self, question: DNSRecord) -> DNSRecord:
        reply = question.reply()
        name = str(question.q.qname).rstrip(".").lower()
        if name not in self._names and not name.endswith(self._parents):
            reply.header.rcode = RCODE.NXDOMAIN
        elif question.q.qtype == QTYPE.A:
            reply.add_answer(RR(question.q.qname, QTYPE.A, rdata=A(self._address), ttl=_TTL))
        return reply


def _question(data: bytes) -> DNSRecord | None:
    """The first question of a packet, without its other sections; None when it has none.

    A name that could not be sent back is no question either: labels and names have their limits.
    """
    try:
        buffer = DNSBuffer(data)
        header = DNSHeader.parse(buffer)
        if header.qr or not header.q:
            return None
        question = DNSRecord(header, questions=[DNSQuestion.parse(buffer)])
        question.pack()
    except (DNSError, DNSLabelError, RecursionError):  # of pointers to pointers
        return None
    return question
