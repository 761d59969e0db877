"""Good bytes made bad: cut, flipped, doubled, spliced, with lengths and numbers at their edges."""

# What parsers look for, and what they trip over.
_MARKS = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\r\n",
    b"\n",
    b" ",
    b"-----",
    b"-----BEGIN ",
    b"\xef\xbb\xbf",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\\u0000",
    b"%s%n",
)
_SIZES = (1, 2, 15, 16, 17, 127, 128, 255, 256)
_LARGE = (1400, 4095, 16384, 17000)  # seldom, since each takes its time


def mutated(source, data, others=()):
    """data after one to four mutations; others: more good bytes, to splice with."""
    for _ in range(1 + source.below(4)):
        data = source.one_of(_ALL)(source, data, others)
    return data[:18000]


def _place(source, data):
    return source.below(len(data) + 1)


def _span(source, data):
    """Two places in data, mostly close to each other."""
    start = _place(source, data)
    size = source.below(len(data) - start + 1)
    return start, start + (size if source.chance(3) else min(size, 8))


def _flip(source, data, others):
    if not data:
        return data
    out = bytearray(data)
    out[source.below(len(out))] ^= 1 << source.below(8)
    return bytes(out)


def _cut(source, data, others):
    return data[: _place(source, data)]


def _cut_front(source, data, others):
    return data[_place(source, data) :]


def _take_out(source, data, others):
    start, end = _span(source, data)
    return data[:start] + data[end:]


def _double(source, data, others):
    start, end = _span(source, data)
    return data[:end] + data[start:]


def _put_in(source, data, others):
    place = _place(source, data)
    junk = source.one_of(_MARKS) if source.below(3) else source.bytes(1 + source.below(8))
    return data[:place] + junk + data[place:]


def _put_over(source, data, others):
    place = _place(source, data)
    junk = source.one_of(_MARKS)
    return data[:place] + junk + data[place + len(junk) :]


def _splice(source, data, others):
    other = source.one_of(others) if others else data
    return data[: _place(source, data)] + other[_place(source, other) :]


def _stretch(source, data, others):
    """One byte so often that the whole has a size at an edge."""
    place = _place(source, data)
    size = source.one_of(_LARGE if source.chance(20) else _SIZES)
    size = max(0, size - len(data)) or size
    return data[:place] + (data[place : place + 1] or b"A") * size + data[place:]


def _number(source, data, others):
    """The digits at some place become another number."""
    start = _place(source, data)
    while start < len(data) and not 48 <= data[start] < 58:
        start += 1
    end = start
    while end < len(data) and 48 <= data[end] < 58:
        end += 1
    if start == end:
        return data
    return data[:start] + source.one_of(NUMBERS) + data[end:]


NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2",
    b"00",
    b"127",
    b"128",
    b"255",
    b"65535",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967296",
    b"9223372036854775808",
    b"9" * 400,
    b"1.5",
    b"-0.0",
    b"1e5",
    b"1e999",
    b"-1e999",
    b"1e",
    b"0x10",
    b"NaN",
    b"Infinity",
)
_ALL = (
    _flip,
    _flip,
    _cut,
    _cut,
    _cut_front,
    _take_out,
    _double,
    _put_in,
    _put_in,
    _put_over,
    _splice,
    _stretch,
    _number,
    _number,
)
