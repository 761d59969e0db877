"""services/setup: names answered, requests parsed, forms read; what is none is refused."""

import fakes
from dynreg.services.setup import dns, http

ADDRESS = bytes((192, 168, 4, 1))
_NAME = b"\x07captive\x05apple\x03com\x00"


def _query(name=_NAME, kind=1, family=1, flags=b"\x01\x00", counts=b"\0\1\0\0\0\0\0\0", more=b""):
    end = bytes((0, kind, 0, family))
    return b"\x12\x34" + flags + counts + name + end + more


def test_every_name_has_the_address():
    for name in (
        _NAME,
        b"\x00",
        b"\x01a\x00",
        (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"b" * 61 + b"\0",
    ):
        reply = dns.answer(_query(name), ADDRESS)
        assert reply[:12] == b"\x12\x34\x85\x80\0\1\0\1\0\0\0\0", reply[:12]
        assert reply[12 : 12 + len(name)] == name
        assert reply[12 + len(name) :] == b"\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + ADDRESS


def test_other_types_have_nothing():
    for kind in (28, 16, 65, 15, 12):  # AAAA, TXT, HTTPS, MX, PTR
        query = _query(kind=kind)
        assert dns.answer(query, ADDRESS) == b"\x12\x34\x85\x80\0\1\0\0\0\0\0\0" + query[12:], kind
    assert dns.answer(_query(family=3), ADDRESS)[7] == 0, "chaos"


def test_a_query_with_edns_is_answered_without():
    option = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    reply = dns.answer(_query(counts=b"\0\1\0\0\0\0\0\1", more=option), ADDRESS)
    assert reply == dns.answer(_query(), ADDRESS)


def test_another_operation_is_not_implemented():
    reply = dns.answer(_query(flags=b"\x29\x00"), ADDRESS)
    assert reply == b"\x12\x34\xa9\x04" + bytes(8)


def test_what_is_no_query_gets_no_reply():
    whole = _query()
    for size in range(len(whole)):
        assert dns.answer(whole[:size], ADDRESS) is None, size
    for query in (
        _query(flags=b"\x81\x80"),  # a reply: two name servers would go on for ever
        _query(counts=b"\0\0\0\0\0\0\0\0"),
        _query(counts=b"\0\2\0\0\0\0\0\0"),
        _query(counts=b"\0\1\0\1\0\0\0\0"),
        _query(counts=b"\0\1\0\0\0\0\0\2"),
        _query(more=b"x"),
        _query(name=b"\xc0\x0c"),  # a pointer, to itself
        _query(name=b"\x40" + b"a" * 64 + b"\0"),
        _query(name=(b"\x3f" + b"a" * 63) * 4 + b"\0"),
        _query(name=b"\x01a" * 250 + b"\0"),
        _query(counts=b"\0\1\0\0\0\0\0\1", more=bytes(600)),
    ):
        assert dns.answer(query, ADDRESS) is None, query


def _request(line=b"GET / HTTP/1.1", *lines, body=b"", host=b"Host: 192.168.4.1"):
    head = [line] + ([host] if host else []) + list(lines)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def test_a_page_is_asked_for():
    data = _request(b"GET /a?b=c HTTP/1.1", b"Accept-Language:  zh-CN,en;q=0.5 ", b"X-Other: 1")
    fields = {b"host": b"192.168.4.1", b"accept-language": b"zh-CN,en;q=0.5"}
    assert http.parse(data) == (b"GET", b"192.168.4.1", b"/a", fields, b"")


def test_it_comes_in_pieces():
    data = _request(b"POST / HTTP/1.1", b"Content-Length: 3", body=b"t=1")
    for size in range(len(data)):
        assert http.parse(data[:size]) is None, size
    assert http.parse(data)[4] == b"t=1"
    assert http.parse(data + b"GET / HTTP/1.1\r\n")[4] == b"t=1", "what comes after is not read"


def test_a_whole_address_counts_for_the_host():
    method, host, path, _, _ = http.parse(_request(b"GET http://a.test:80/x?y HTTP/1.1"))
    assert (method, host, path) == (b"GET", b"a.test:80", b"/x")
    assert http.parse(_request(b"GET HTTP://a.test HTTP/1.1"))[1:3] == (b"a.test", b"/")


def test_the_old_version_needs_no_host():
    assert http.parse(_request(b"GET / HTTP/1.0", host=None))[1] == b""


def _refused(data):
    try:
        http.parse(data)
    except http.Refused as refused:
        assert _reply(refused.status).startswith(b"HTTP/1.1 %d " % refused.status)
        return refused.status
    return None


def test_what_is_no_request_is_refused():
    for status, data in (
        (400, _request(host=None)),
        (400, _request(b"GET /", host=None)),
        (400, _request(b"GET  / HTTP/1.1")),
        (400, _request(b" / HTTP/1.1")),
        (400, _request(b"GET / x HTTP/1.1")),
        (400, _request(b"GET a.test HTTP/1.1")),
        (400, _request(b"GET / FTP/1.1")),
        (505, _request(b"GET / HTTP/2.0")),
        (505, _request(b"GET / HTTP/1.10")),
        (400, b"\r\n" + _request()),
        (400, _request(b"GET /\0 HTTP/1.1")),
        (400, _request(b"GET / HTTP/1.1", b"X: a\nHost: b")),
        (400, _request(b"GET / HTTP/1.1", b"X: a\rb")),
        (400, _request(b"GET / HTTP/1.1", b"X: \x7f")),
        (400, _request(b"GET / HTTP/1.1", b"X")),
        (400, _request(b"GET / HTTP/1.1", b": x")),
        (400, _request(b"GET / HTTP/1.1", b"X : y")),
        (400, _request(b"GET / HTTP/1.1", b" folded: y")),
        (400, _request(b"GET / HTTP/1.1", b"\xc3\xa4: y")),
        (400, _request(b"GET / HTTP/1.1", b"host: other")),
        (400, _request(host=b"Host: a b")),
        (400, _request(host=b"Host: a<b>")),
        (400, _request(b"POST / HTTP/1.1", b"Content-Length: 1", b"Content-Length: 1")),
        (400, _request(b"POST / HTTP/1.1", b"Content-Length: +1")),
        (400, _request(b"POST / HTTP/1.1", b"Content-Length: ")),
        (400, _request(b"POST / HTTP/1.1", b"Content-Length: 1, 1")),
        (411, _request(b"POST / HTTP/1.1")),
        (413, _request(b"POST / HTTP/1.1", b"Content-Length: 1025")),
        (413, _request(b"POST / HTTP/1.1", b"Content-Length: " + b"9" * 99)),
        (501, _request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked")),
        (431, _request(b"GET / HTTP/1.1", b"X: " + b"a" * 3072)),
        (431, b"a" * 3073),
    ):
        assert _refused(data) == status, (status, data[:80])


def test_a_form():
    body = b"t=1&n=&o=a+%26%3D%c3%A4&p=%00%ff"
    assert http.form(body) == {b"t": b"1", b"n": b"", b"o": b"a &=\xc3\xa4", b"p": b"\0\xff"}
    assert http.form(b"") == {b"": b""}
    for wrong in (b"a=%", b"a=%1", b"a=%x1", b"a=%+1", b"a=% 1", b"a=1&a=2", b"a&a"):
        fakes.raises(http.Refused, http.form, wrong)


def _reply(*how, **more):
    return b"".join(http.reply(*how, **more))


def test_a_reply():
    assert _reply(200, [b"a", b"b"], "X: y\r\n") == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nX: y\r\n\r\nab"
    )
    assert _reply(200, [b"ab"], head=True)[-4:] == b"\r\n\r\n"
    assert b"Content-Length: 2\r\n" in _reply(200, [b"ab"], head=True)
    assert b"Content-Length: 14\r\n" in _reply(404)
    assert _reply(404)[-14:] == b"404 Not Found\n"
