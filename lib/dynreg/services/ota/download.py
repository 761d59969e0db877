"""Fetches a file by HTTP range requests on a verified link; whatever ends it, what came stays."""

import uos as os
from micropython import const

from ... import port
from ...device import Endpoint
from ...errors import NetworkError, ProtocolError, StorageError

_PART = const("/ota.part")
_PIECE = const(16384)  # bytes of one request, and of the file between two closings
_CHUNK = const(1024)  # bytes in memory
_HEAD = const(8192)  # bytes of a reply's head
_LINK_MS = const(30000)
_STALL_MS = const(10000)  # for the head, and for each chunk
_SPARE = const(32768)  # bytes that stay free on the flash


def fetch(session, job, ms, sink):
    """Brings job's file nearer to its end, for ms milliseconds at most.

    sink: a binary file that takes it; None for the flash's own. NetworkError, CertificateError:
    another try may help. ProtocolError "ota.url", "ota.missing", "ota.denied", StorageError
    "ota.full": none would.
    """
    size = job["file_size"]
    end = port.ticks_add(port.ticks_ms(), ms)
    where = _where(session.info, job["url"])
    link = None
    try:
        with sink or open(_PART, "ab") as file:
            at = file.seek(0, 2)
            found = os.statvfs("/")
            if not sink and found[0] * found[3] < 2 * size - at + _SPARE:
                raise OSError(28)  # ENOSPC
            while at < size and port.ticks_diff(end, port.ticks_ms()) > 0:
                if not link:
                    day = session.history["day"]
                    link = port.step("connect.tls", "gateway", where, day, _LINK_MS)
                if not _piece(link, where, file, at, size):
                    link.drop()
                    link = None
                file.flush()
                at = file.seek(0, 2)
    except OSError as error:
        raise StorageError("ota.full", "no room for it twice: %r" % error) from None
    finally:
        if link:
            link.drop()


def _where(info, url):
    """The URL's Endpoint, which is to tls.gateway() what it asks of a DeviceInfo too."""
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, _, number = place.partition(":")
    try:
        if scheme != "https" and (scheme != "http" or info.gateway.secure):
            raise ValueError
        for byte in url.encode():
            if not 32 < byte < 127:
                raise ValueError
        number = int(number or (443 if scheme == "https" else 80))
    except ValueError:
        raise _not("ota.url", "%s: no https URL" % url[:64]) from None
    where = Endpoint(scheme, host, number, info.gateway.ca)
    where.gateway = where  # pyright: ignore
    where.date = info.date  # pyright: ignore
    where.head = "GET /%s HTTP/1.1\r\nHost: %s\r\nRange: bytes=" % (path, place)  # pyright: ignore
    return where


def _not(code, text):
    return ProtocolError(code, text, False)


def _piece(link, where, file, first, size):
    """One request and its reply; whether the link is good for another."""
    left, skip, again = ask(link, where, first, min(first + _PIECE, size) - 1, size)
    while left:
        link.within(_STALL_MS)
        data = link.read(min(left, skip or left, _CHUNK))
        left -= len(data)
        if skip:
            skip -= len(data)
        else:
            file.write(data)
        port.idle()
    return again


def ask(link, where, first, last, size):
    """Asks for these bytes of a file of size bytes.

    How many come, how many of them are before the first, whether the link is good for more then.
    """
    link.within(_STALL_MS)
    link.write("%s%d-%d\r\n\r\n" % (where.head, first, last))
    link.size = link.count + _HEAD
    status = 100
    given = left = again = None
    while status < 200:
        try:
            status = int(link.readline().split()[1])
        except (ValueError, IndexError):
            raise ProtocolError("protocol.reply", "%s answers no HTTP" % where.gateway) from None
        again = status == 206
        while line := link.readline().strip():
            name, _, value = line.lower().partition(b":")
            value = value.strip()
            if name == b"content-range":
                given = value
            elif name == b"content-length":
                left = value
            elif name in (b"connection", b"transfer-encoding") and value != b"keep-alive":
                again = False
    link.size = skip = 0
    words = "%s: HTTP status %d" % (where.gateway, status)
    if status == 206 and given == b"bytes %d-%d/%d" % (first, last, size):
        left = last + 1 - first
    elif status == 200 and left == b"%d" % size:
        left, skip = size, first
    elif status in (401, 403):
        raise _not("ota.denied", words)
    elif status in (408, 425, 429) or status >= 500:
        raise NetworkError("network.closed", words)
    elif 300 <= status < 400:
        raise _not("ota.url", words + ": sent elsewhere")
    else:
        raise _not("ota.missing", "%s, %s of %d bytes" % (words, given or left, size))
    return left, skip, again
