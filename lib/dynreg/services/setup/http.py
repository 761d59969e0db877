"""The part of HTTP/1.1 that a page with a form needs (RFC 9112), strict and bounded."""

from micropython import const
from ubinascii import unhexlify

_HEAD = const(3072)
_BODY = const(1024)
_WANTED = (
    b"host",
    b"content-length",
    b"content-type",
    b"transfer-encoding",
    b"accept-language",
)
_SEPARATORS = const(b'"(),/:;<=>?@[\\]{}')
_HOST = const(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")
_TEXTS = {
    200: "OK",
    302: "Found",
    303: "See Other",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    505: "HTTP Version Not Supported",
}


class Refused(Exception):
    """A request that is none; status: what to answer."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


def parse(data):
    """(method, host, path, fields, body) of a request, all bytes; None: more of it is to come.

    fields: the values of _WANTED that are there, by name. Refused.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0 and len(data) <= _HEAD:
        return None
    if not 0 <= end <= _HEAD:
        raise Refused(431)
    lines = data[:end].split(b"\r\n")
    for line in lines:
        for byte in line:
            if (byte < 32 and byte != 9) or byte == 127:
                raise Refused(400)
    words = lines[0].split(b" ")
    if len(words) != 3 or not words[0] or not words[1]:
        raise Refused(400)
    method, target, version = words
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Refused(505 if version[:5] == b"HTTP/" else 400)
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        for byte in name:
            if not 32 < byte < 127 or byte in _SEPARATORS:
                raise Refused(400)
        name = name.lower()
        if not name or not colon or (name in fields and name in _WANTED[:4]):
            raise Refused(400)
        if name in _WANTED:
            fields[name] = value.strip()
    host = fields.get(b"host")
    if host is None and version == b"HTTP/1.1":
        raise Refused(400)
    if target[:7].lower() == b"http://":
        host, _, path = target[7:].partition(b"/")
        target = b"/" + path
    elif target[:1] != b"/" and target != b"*":
        raise Refused(400)
    host = host or b""
    for byte in host:
        if byte not in _HOST:
            raise Refused(400)
    if b"transfer-encoding" in fields:
        raise Refused(501)
    length = fields.get(b"content-length")
    if length is None:
        if method == b"POST":
            raise Refused(411)
        length = b"0"
    if not length.isdigit():
        raise Refused(400)
    if len(length) > 9 or int(length) > _BODY:
        raise Refused(413)
    body = data[end + 4 :]
    if len(body) < int(length):
        return None
    return method, host, target.partition(b"?")[0], fields, body[: int(length)]


def form(body):
    """The values (bytes) of a form by name, as application/x-www-form-urlencoded. Refused."""
    values = {}
    try:
        for pair in body.split(b"&"):
            name, _, value = pair.partition(b"=")
            raw, *rest = value.replace(b"+", b" ").split(b"%")
            for part in rest:
                if len(part) < 2:
                    raise ValueError
                raw += unhexlify(part[:2]) + part[2:]
            if name in values:
                raise ValueError
            values[name] = raw
    except ValueError:
        raise Refused(400) from None
    return values


def reply(status, body=(), more="", head=False):
    """A reply in pieces of bytes, as body is. more: header lines. head: without the body."""
    text = _TEXTS[status]
    if not body and status >= 400:
        body = (("%d %s\n" % (status, text)).encode(),)
    lines = "HTTP/1.1 %d %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n"
    size = sum([len(piece) for piece in body])
    pieces = [(lines % (status, text, size, more)).encode()]
    return pieces if head else pieces + list(body)
