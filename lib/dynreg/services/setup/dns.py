"""A name server that knows one address: each name has it, so a phone finds the page (RFC 1035)."""

from micropython import const

MOST = const(512)  # bytes of a packet over UDP
_HEADER = const(12)
_TTL_S = const(5)  # the phone is to forget it when the access point is gone


def answer(query, address):
    """The reply (bytes) to a query (bytes); None where it is none. address: the four bytes."""
    size = len(query)
    if not _HEADER < size <= MOST or query[2] & 0x80:
        return None
    if query[2] & 0x78:  # no standard query: NOTIMP
        return query[:2] + bytes((query[2] & 0x79 | 0x80, 4)) + bytes(8)
    # One question, no records; an additional one is EDNS's, which may be left unanswered.
    if query[4:10] != b"\0\1\0\0\0\0" or query[10] or query[11] > 1:
        return None
    at = _HEADER
    while query[at]:
        if query[at] > 63:
            return None
        at += query[at] + 1
        if at >= size:
            return None
    at += 5
    if at - _HEADER > 259 or (at > size if query[11] else at != size):
        return None
    kind, family = query[at - 4 : at - 2], query[at - 2 : at]
    known = kind in (b"\0\1", b"\0\xff") and family in (b"\0\1", b"\0\xff")
    head = query[:2] + bytes((query[2] & 1 | 0x84, 0x80, 0, 1, 0, known, 0, 0, 0, 0))
    record = b"\xc0\x0c\0\1\0\1\0\0\0" + bytes((_TTL_S, 0, 4)) + address if known else b""
    return head + query[_HEADER:at] + record
