"""A file by range requests: what a server may answer, and what is made of it."""

import fakes
from dynreg.device import Endpoint
from dynreg.errors import NetworkError, ProtocolError, StorageError
from dynreg.services.ota import download

SIZE = 2560
FILE = bytes(range(256)) * 10
URL = "http://files.test:8080/updates/1?sign=x"


class Sink:
    """A file that is kept in memory; full: bytes that it takes."""

    def __init__(self, data=b"", full=None):
        self.data = data
        self.full = full

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seek(self, offset, whence):
        assert (offset, whence) == (0, 2)
        return len(self.data)

    def write(self, data):
        if self.full is not None and len(self.data) + len(data) > self.full:
            raise OSError(28)
        self.data += data

    def flush(self):
        pass


def reply(first=0, last=SIZE - 1, size=SIZE, status=206, more=b"", body=None):
    body = FILE[first : last + 1] if body is None else body
    head = b"HTTP/1.1 %d Whatever\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n"
    return head % (status, first, last, size, len(body)) + more + b"\r\n" + body


def fetch(*answers, sink=None, url=URL, size=SIZE, secure=False, ms=120000):
    """(the sink, the peers) after a fetch from a peer for each list of answers."""
    clock = fakes.Clock()
    peers = [fakes.Peer(*given) for given in answers]
    fakes.network(clock, *peers)
    gateway = Endpoint("https" if secure else "http", "gateway.test", 80)
    info = fakes.Namespace(gateway=gateway, date=gateway)
    session = fakes.Namespace(info=info, history={"day": 0})
    sink = sink or Sink()
    download.fetch(session, {"url": url, "file_size": size}, ms, sink)
    return sink, peers


def refused(kind, code, *answers, **more):
    return fakes.raises(kind, lambda: fetch(*answers, **more), code=code)


def test_a_whole_file_in_one_piece():
    sink, (peer,) = fetch([reply()])
    assert sink.data == FILE
    assert peer.sent == (
        b"GET /updates/1?sign=x HTTP/1.1\r\nHost: files.test:8080\r\nRange: bytes=0-2559\r\n\r\n"
    )
    assert peer.closed


def test_a_path_of_nothing_is_the_root():
    _, (peer,) = fetch([reply()], url="http://files.test")
    assert peer.sent.startswith(b"GET / HTTP/1.1\r\nHost: files.test\r\n")
    assert peer.address[1] == 80


def test_a_large_file_comes_in_pieces_on_one_connection():
    size = 40000
    data = bytes(size)
    pieces = [
        reply(first, min(first + 16384, size) - 1, size, body=data[first : first + 16384])
        for first in range(0, size, 16384)
    ]
    sink, (peer,) = fetch(pieces, size=size)
    assert sink.data == data
    assert peer.sent.count(b"GET ") == 3
    assert b"bytes=32768-39999" in peer.sent


def test_what_is_there_is_not_asked_for():
    sink, (peer,) = fetch([reply(1000)], sink=Sink(FILE[:1000]))
    assert sink.data == FILE
    assert b"bytes=1000-2559" in peer.sent


def test_a_server_without_ranges_sends_it_all_and_the_beginning_is_skipped():
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2560\r\n\r\n" + FILE
    sink, _ = fetch([whole], sink=Sink(FILE[:1000]))
    assert sink.data == FILE


def test_a_server_that_closes_after_each_piece_is_called_again():
    size = 20000
    first = reply(0, 16383, size, more=b"Connection: close\r\n", body=bytes(16384))
    second = reply(16384, size - 1, size, body=bytes(size - 16384))
    sink, peers = fetch([first], [second], size=size)
    assert len(sink.data) == size
    assert [peer.closed for peer in peers] == [1, 1]


def test_interim_replies_and_odd_headers_are_read_past():
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    more = b"X-Empty:\r\nno colon\r\nCONNECTION:   Keep-Alive  \r\n"
    sink, _ = fetch([interim + reply(more=more)])
    assert sink.data == FILE


def test_a_lost_line_keeps_what_came():
    sink = Sink()
    answer = [(0, reply()[:-500]), (1, fakes.END)]
    refused(NetworkError, "network.closed", [lambda _: answer], sink=sink)
    assert 0 < len(sink.data) < len(FILE)
    assert FILE.startswith(sink.data)


def test_a_server_that_stops_sending_is_left_after_ten_seconds():
    sink = Sink()
    refused(NetworkError, "network.timeout", [reply()[:-500]], sink=sink)
    assert FILE.startswith(sink.data)


def test_what_passes_is_tried_again():
    for status in (408, 429, 500, 503):
        error = refused(NetworkError, "network.closed", [reply(status=status)])
        assert error.retry is True


def test_what_does_not_pass():
    for status, code in ((401, "denied"), (403, "denied"), (404, "missing"), (416, "missing")):
        error = refused(ProtocolError, "ota." + code, [reply(status=status)])
        assert error.retry is False
        assert str(status) in str(error)


def test_a_range_that_is_no_text():
    odd = b"HTTP/1.1 206 X\r\nContent-Range: bytes \xff\xfe\r\n\r\n"
    assert refused(ProtocolError, "ota.missing", [odd]).retry is False


def test_nobody_is_followed_elsewhere():
    for status in (301, 302, 307, 308):
        more = b"Location: http://elsewhere.test/\r\n"
        refused(ProtocolError, "ota.url", [reply(status=status, more=more)])


def test_another_part_or_another_size_than_was_asked_for():
    for answer in (
        reply(1),
        reply(last=2000),
        reply(size=2561),
        b"HTTP/1.1 206 Partial\r\n\r\n" + FILE,
        b"HTTP/1.1 200 OK\r\n\r\n" + FILE,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2559\r\n\r\n" + FILE,
        b"HTTP/1.1 204 Nothing\r\n\r\n",
    ):
        refused(ProtocolError, "ota.missing", [answer])


def test_no_http():
    for answer in (b"\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 many\r\n\r\n", b"\0" * 9000 + b"\n"):
        refused(ProtocolError, None, [answer])


def test_a_head_without_end():
    refused(ProtocolError, "protocol.size", [b"HTTP/1.1 206 x\r\n" + b"X: y\r\n" * 2000])


def test_urls_that_are_refused():
    for url in (
        "",
        "ftp://files.test/x",
        "files.test/x",
        "HTTPS://files.test/x",
        "https://files.test:port/x",
        "https://files.test/a b",
        "https://files.test/a\r\nX: y",
        "https://files.test/\u00e9",
    ):
        refused(ProtocolError, "ota.url", url=url)


def test_plain_http_only_where_the_gateway_is_plain_too():
    refused(ProtocolError, "ota.url", url=URL, secure=True)


def test_a_flash_that_is_full():
    error = refused(StorageError, "ota.full", [reply()], sink=Sink(full=1500))
    assert error.retry is False


def test_the_time_ends_a_slow_download_between_two_pieces():
    size = 40000
    pieces = [
        lambda _, first=first: [(9000, reply(first, first + 16383, size, body=bytes(16384)))]
        for first in (0, 16384)
    ]
    sink, _ = fetch(pieces, size=size, ms=15000)
    assert len(sink.data) == 32768
