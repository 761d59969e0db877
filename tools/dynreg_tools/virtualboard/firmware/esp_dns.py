"""Host names as lwIP finds them, by the name server that DHCP gave. Device side.

As lwIP's dns.c does with one server (DNS_MAX_RETRIES 4, a tick a second): the question is sent
four times, 1, 1, 2 and 3 s apart, so silence takes 7 s; an error code or an answer without an
IPv4 address ends it at once; what does not belong to the question is ignored. It keeps answers
for their time to live, which this one does not.
"""

import os
import struct

import _board

_WAITS_MS = (1000, 1000, 2000, 3000)
_A, _IN = 1, 1
_ANSWER, _ERROR = 0x8000, 0x000F
_HEADER = 12
_socket = _board.native["socket"]


def lookup(name):
    """The address as text, None where there is none."""
    server = _board.config["dns"]
    address = _socket.getaddrinfo(server[0], server[1], _socket.AF_INET, _socket.SOCK_DGRAM)[0][-1]
    number = int.from_bytes(os.urandom(2), "big")
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    question = labels + struct.pack(">BHH", 0, _A, _IN)
    query = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    poller = _board.native["select"].poll()
    poller.register(sock, 1)
    try:
        for wait in _WAITS_MS:
            sock.sendto(query, address)
            end = _board.now_ms() + wait
            while True:
                left = int(end - _board.now_ms()) + 1
                if left <= 0 or not _board.wait(poller, left):
                    break
                try:
                    found = _read(sock.recv(512), number, question)
                except OSError:
                    break  # the host says at once that nobody listens; lwIP does not learn of it
                if found is not None:
                    return found or None
            rest = int(end - _board.now_ms()) + 1
            if rest > 0:
                _board.sleep_ms(rest)
    finally:
        sock.close()
    return None


def _read(packet, number, question):
    """The address in an answer, "" where it says there is none, None where it is no answer."""
    try:
        own, flags, asked, answers, _, _ = struct.unpack(">HHHHHH", packet)
        at = _HEADER + len(question)
        if own != number or not flags & _ANSWER or asked != 1 or packet[_HEADER:at] != question:
            return None
        if flags & _ERROR:
            return ""
        for _ in range(answers):
            at = _skip_name(packet, at)
            kind, family, _, size = struct.unpack(">HHIH", packet[at : at + 10])
            at += 10
            if kind == _A and family == _IN and size == 4:
                return ".".join(str(packet[at + i]) for i in range(4))
            at += size
    except (ValueError, IndexError):
        return None
    return ""


def _skip_name(packet, at):
    while True:
        size = packet[at]
        if size >= 0xC0:
            return at + 2
        at += 1 + size
        if not size:
            return at
