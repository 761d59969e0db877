"""Faults of the HTTP reply, above TLS: from the hub's own bytes to those that go out.

An `act` gets (the whole reply, the argument) and gives (seconds to wait, bytes) pairs; after
them the connection is closed.
"""

import gzip
import re
import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from .kinds import Argument, Kind, natural, seconds

TimedBytes = list[tuple[float, bytes]]
_END = b"\r\n\r\n"
_PAGE = b"<html><head><title>%d</title></head><body><h1>%d %s</h1></body></html>\n"
_ERROR = b'{"Response":{"Error":{"Code":"%s","Message":"made by a fault"},"RequestId":"0"}}'
_ELSEWHERE = "another-host.test"


def _parts(raw: bytes) -> tuple[bytes, bytes]:
    head, _, body = raw.partition(_END)
    return head, body


def _text(change: Callable[..., bytes]) -> Callable[[bytes, object], TimedBytes]:
    """An act of a function of (head, body, argument) that gives the whole reply."""

    def act(raw: bytes, argument: object) -> TimedBytes:
        return [(0, change(*_parts(raw), argument))]

    return act


def _header(head: bytes, name: bytes, value: bytes | None) -> bytes:
    """The head with a header replaced, or without it."""
    start = name.lower() + b":"
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(start)]
    return b"\r\n".join(lines + ([] if value is None else [name + b": " + value]))


def _status_line(head: bytes, code: int) -> bytes:
    phrase = HTTPStatus(code).phrase if code in set(HTTPStatus) else "Unknown"
    return re.sub(rb"^[^\r]*", b"HTTP/1.1 %d %s" % (code, phrase.encode()), head)


def _sized(head: bytes, body: bytes) -> bytes:
    return _header(head, b"Content-Length", b"%d" % len(body)) + _END + body


def _page(head: bytes, _: bytes, code: int) -> bytes:
    head = _header(_status_line(head, code), b"Content-Type", b"text/html")
    phrase = HTTPStatus(code).phrase if code in set(HTTPStatus) else "Unknown"
    return _sized(head, _PAGE % (code, code, phrase.encode()))


def _json_error(head: bytes, _: bytes, code: int) -> bytes:
    name = b"InternalError" if code >= HTTPStatus.INTERNAL_SERVER_ERROR else b"InvalidRequest"
    return _sized(_status_line(head, code), _ERROR % name)


def _redirect(to: str) -> Callable[[bytes, object], TimedBytes]:
    def change(head: bytes, _: bytes, code: int) -> bytes:
        location = _header(_status_line(head, code), b"Location", to.encode())
        return _sized(location, b"")

    return _text(change)


def _chunked(head: bytes, body: bytes, size: int) -> bytes:
    """Sizes 1, 2, 3 … up to `size` and again, with extensions, and a trailer at the end."""
    out, at, turn = b"", 0, 0
    while at < len(body):
        turn = turn % size + 1
        piece = body[at : at + turn]
        out += b"%X;odd=%d\r\n%s\r\n" % (len(piece), turn, piece)
        at += len(piece)
    head = _header(_header(head, b"Content-Length", None), b"Transfer-Encoding", b"chunked")
    return head + _END + out + b"0\r\nX-Trailer: 1\r\n\r\n"


def _length(value: Callable[[int], bytes | None]) -> Callable[[bytes, object], TimedBytes]:
    """Content-Length as `value` makes it of the true one."""

    def change(head: bytes, body: bytes, _: object) -> bytes:
        return _header(head, b"Content-Length", value(len(body))) + _END + body

    return _text(change)


def _two_lengths(head: bytes, body: bytes, _: object) -> bytes:
    return head + b"\r\nContent-Length: %d" % (len(body) + 9) + _END + body


def _huge_body(head: bytes, body: bytes, size: int) -> bytes:
    return _sized(head, body + b" " * max(0, size - len(body)))


def _gzip(head: bytes, body: bytes, _: object) -> bytes:
    return _sized(head + b"\r\nContent-Encoding: gzip", gzip.compress(body))


def _status(text: str) -> int:
    code = natural(text)
    if not 200 <= code <= 599:
        raise ValueError
    return code


_code = partial(Argument, "HTTP status, 200 to 599", read=_status)
_row = partial(Kind, hook="http")

KINDS = (
    _row(
        "http-page", "an HTML page with this status", act=_text(_page), argument=_code(default=502)
    ),
    _row(
        "http-error",
        "an error in JSON with this status",
        act=_text(_json_error),
        argument=_code(default=500),
    ),
    _row(
        "http-status",
        "the right reply with another status",
        act=_text(lambda head, body, code: _status_line(head, code) + _END + body),
        argument=_code(default=500),
    ),
    _row(
        "http-redirect",
        "sent to another host",
        act=_redirect(f"http://{_ELSEWHERE}/device/register"),
        argument=_code(default=307),
    ),
    _row(
        "http-redirect-here",
        "sent to another path of the same host",
        act=_redirect("/elsewhere"),
        argument=_code(default=307),
    ),
    _row(
        "http-continue",
        "100 Continue before the reply, unasked",
        act=lambda raw, _: [(0, b"HTTP/1.1 100 Continue" + _END), (0, raw)],
    ),
    _row(
        "http-chunked",
        "the reply chunked in odd sizes, with extensions and a trailer",
        act=_text(_chunked),
        argument=Argument("largest chunk, bytes", 7, lambda text: natural(text) or 1),
    ),
    _row(
        "http-chunked-bad",
        "chunked, with a size that is no number",
        act=_text(
            lambda head, body, _: (
                _header(_header(head, b"Content-Length", None), b"Transfer-Encoding", b"chunked")
                + _END
                + b"zz\r\n"
                + body
            )
        ),
    ),
    _row(
        "http-huge-header",
        "a header of this size",
        act=_text(lambda head, body, size: head + b"\r\nX-Huge: " + b"h" * size + _END + body),
        argument=Argument("bytes", 100_000, natural),
    ),
    _row(
        "http-many-headers",
        "so many headers",
        act=_text(lambda head, body, count: head + b"\r\nX-One: more" * count + _END + body),
        argument=Argument("how many", 5000, natural),
    ),
    _row(
        "http-huge-body",
        "a body of this size",
        act=_text(_huge_body),
        argument=Argument("bytes", 200_000, natural),
    ),
    _row(
        "http-length-short",
        "Content-Length below the true length",
        act=_length(lambda size: b"%d" % (size // 2)),
    ),
    _row(
        "http-length-long",
        "Content-Length above the true length",
        act=_length(lambda size: b"%d" % (size + 9)),
    ),
    _row("http-length-none", "no Content-Length: the end closes", act=_length(lambda _: None)),
    _row("http-length-bad", "Content-Length that is no number", act=_length(lambda _: b"many")),
    _row("http-length-negative", "Content-Length below zero", act=_length(lambda _: b"-1")),
    _row("http-length-twice", "two Content-Lengths that differ", act=_text(_two_lengths)),
    _row(
        "http-cut",
        "the reply ends after so many bytes, in good order",
        act=lambda raw, size: [(0, raw[:size])],
        argument=Argument("bytes of the reply that are sent", 0, natural),
    ),
    _row(
        "http-garbage",
        "random bytes for a reply, then an empty line",
        act=lambda _raw, size: [(0, secrets.token_bytes(size) + _END)],
        argument=Argument("how many bytes", 300, natural),
    ),
    _row("http-gzip", "a compressed body, unasked", act=_text(_gzip)),
    _row(
        "http-no-reason",
        "a status line without words",
        act=_text(
            lambda head, body, _: re.sub(rb"^([^\r]*? \d+)[^\r]*", rb"\1", head) + _END + body
        ),
    ),
    _row(
        "http-lower-case",
        "header names in lower case",
        act=_text(
            lambda head, body, _: (
                re.sub(rb"(?m)^[^\r:]+:", lambda m: m[0].lower(), head) + _END + body
            )
        ),
    ),
    _row(
        "http-late",
        "the reply comes late",
        act=lambda raw, wait: [(wait, raw)],
        argument=Argument("seconds", 60.0, seconds),
    ),
    _row(
        "http-half-late",
        "half of the reply, and the rest late",
        act=lambda raw, wait: [(0, raw[: len(raw) // 2]), (wait, raw[len(raw) // 2 :])],
        argument=Argument("seconds between the halves", 60.0, seconds),
    ),
)
