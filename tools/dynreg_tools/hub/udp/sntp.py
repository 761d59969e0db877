"""A small SNTP responder, so that a board can set its first clock without the internet.

Source: RFC 4330 section 6 (unicast server) and RFC 5905 figure 8 (packet header). The version
number of a request is echoed, as both ask.
"""

import asyncio
import struct
import time
from collections.abc import Callable
from typing import Protocol

UNIX_TO_NTP = 2208988800  # seconds from 1900 to 1970
_SIZE = 48
_HEADER = struct.Struct(">BBbbII4s")
_CLIENT, _SERVER = 3, 4
_STRATUM = 2
_PRECISION = -20  # about a microsecond, as a power of two
_REFERENCE = bytes((127, 0, 0, 1))  # at stratum 2 the address of the server above
_VERSIONS = range(1, 5)


def ntp_timestamp(unix: float) -> bytes:
    """Unix seconds as a 64-bit NTP timestamp; wraps in 2036 as the format says."""
    seconds = int(unix)
    fraction = int((unix - seconds) * 2**32)
    return struct.pack(">II", (seconds + UNIX_TO_NTP) % 2**32, fraction)


def answer(request: bytes, received: float, now: float) -> bytes | None:
    """The reply to a client's packet, None when it is none; both times are Unix seconds."""
    if len(request) < _SIZE:
        return None
    version, mode = request[0] >> 3 & 7, request[0] & 7
    if mode != _CLIENT or version not in _VERSIONS:
        return None
    header = _HEADER.pack(
        version << 3 | _SERVER, _STRATUM, request[2] & 127, _PRECISION, 0, 0, _REFERENCE
    )
    originate = request[40:48]
    reference, receive = ntp_timestamp(int(received)), ntp_timestamp(received)
    return header + reference + originate + receive + ntp_timestamp(now)


class NtpFaults(Protocol):
    """What may go wrong on purpose with a reply."""

    def ntp(self, packet: bytes) -> list[bytes]:
        """The packets that are sent in the place of a reply."""
        ...


class Responder(asyncio.DatagramProtocol):
    """Answers on one UDP socket and reports each answer through `served`."""

    def __init__(self, served: Callable[[], None], faults: NtpFaults) -> None:
        self._served = served
        self._faults = faults

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Keep the transport for the replies."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        """Answer one request; anything else is ignored."""
        reply = answer(data, time.time(), time.time())
        if reply is None:
            return
        for packet in self._faults.ntp(reply):
            self._transport.sendto(packet, addr)
        self._served()
