"""A small name server, so that a board can find the hub by a name, and fail to.

Its own name and all below it lead to the hub, and so do others that it is given. Source: RFC 1035
section 4 (messages), RFC 6761 (.test is nobody's).
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from dnslib import QTYPE, RCODE, RR, A, DNSError, DNSRecord

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
        try:
            question = DNSRecord.parse(data)
        except DNSError:
            return
        if question.header.qr or not question.questions:
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
