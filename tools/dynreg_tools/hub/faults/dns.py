"""Faults of the name server, for boards that ask the hub's.

An `act` gets (the question, the good answer, the argument) and gives (seconds to wait, packet)
pairs.
"""

import secrets
from collections.abc import Callable
from functools import partial

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord

from .kinds import Argument, Kind, seconds

TimedBytes = list[tuple[float, bytes]]
PORTAL = "127.0.0.2"  # where the portal of dns-portal listens
NOBODY = "127.0.0.3"
_TTL = 1


def _code(name: str) -> Callable[..., TimedBytes]:
    def act(question: DNSRecord, _good: DNSRecord, _argument: object) -> TimedBytes:
        answer = question.reply()
        answer.header.rcode = getattr(RCODE, name)
        return [(0, bytes(answer.pack()))]

    return act


def _address(address: str) -> Callable[..., TimedBytes]:
    def act(question: DNSRecord, _good: DNSRecord, _argument: object) -> TimedBytes:
        return [(0, _answered(question, A(address)))]

    return act


def _answered(question: DNSRecord, *data: object) -> bytes:
    answer = question.reply()
    for each in data:
        kind = getattr(QTYPE, type(each).__name__)
        answer.add_answer(RR(question.q.qname, kind, rdata=each, ttl=_TTL))
    return bytes(answer.pack())


def _wrong_id(_question: DNSRecord, good: DNSRecord, _argument: object) -> TimedBytes:
    good.header.id ^= 1
    return [(0, bytes(good.pack()))]


def _truncated(question: DNSRecord, _good: DNSRecord, _argument: object) -> TimedBytes:
    answer = question.reply()
    answer.header.tc = 1
    return [(0, bytes(answer.pack()))]


def _alias(question: DNSRecord, _good: DNSRecord, _argument: object) -> TimedBytes:
    alias = "alias.hub.test"
    answer = question.reply()
    answer.add_answer(RR(question.q.qname, QTYPE.CNAME, rdata=CNAME(alias), ttl=_TTL))
    answer.add_answer(RR(alias, QTYPE.A, rdata=A("127.0.0.1"), ttl=_TTL))
    return [(0, bytes(answer.pack()))]


_row = partial(Kind, hook="dns")

KINDS = (
    _row("dns-silent", "no answer", act=lambda *_: []),
    _row("dns-nxdomain", "no such name", act=_code("NXDOMAIN")),
    _row("dns-servfail", "the server fails", act=_code("SERVFAIL")),
    _row("dns-refused", "the server refuses", act=_code("REFUSED")),
    _row("dns-empty", "the name has no address", act=lambda q, *_: [(0, _answered(q))]),
    _row("dns-ipv6", "an IPv6 address only", act=lambda q, *_: [(0, _answered(q, AAAA("::1")))]),
    _row("dns-garbage", "random bytes", act=lambda *_: [(0, secrets.token_bytes(40))]),
    _row(
        "dns-cut", "an answer cut in its middle", act=lambda _, good, __: [(0, good.pack()[:-6])]
    ),
    _row("dns-truncated", "an answer that says it is truncated", act=_truncated),
    _row("dns-wrong-id", "an answer to another question's id", act=_wrong_id),
    _row("dns-alias", "the address behind a CNAME", act=_alias),
    _row("dns-nobody", "an address where nobody listens", act=_address(NOBODY)),
    _row(
        "dns-portal",
        "the address of a captive portal, with its own certificate",
        act=_address(PORTAL),
    ),
    _row(
        "dns-late",
        "the answer comes late",
        act=lambda _, good, wait: [(wait, bytes(good.pack()))],
        argument=Argument("seconds", 60.0, seconds),
    ),
)
