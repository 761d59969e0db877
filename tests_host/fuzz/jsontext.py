"""JSON texts, good and bad, as bytes: so that doubled keys and texts that are none exist too."""

from mutations import NUMBERS, mutated

# On CPython json.loads goes down the stack, which is Python's own limit and no board's.
DEEPEST = 300 if __import__("sys").implementation.name == "cpython" else 3000
_WORDS = (
    b'""',
    b'"x"',
    b'"YOUR_SECRET"',
    b'"' + b"x" * 300 + b'"',
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\n\\t\\"\\\\"',
    b'"\xff\xfe"',
    b'"\xc3\xa9\xe2\x82\xac"',
    b'"%s %d"',
    b'"0"',
    b'"-1"',
    b'"2026"',
    b"true",
    b"false",
    b"null",
    b"[]",
    b"{}",
    b"[[],{}]",
    b"{1:2}",
    b"{[]:1}",
    b"{null:null}",
    b"[1,]",
    b"nul",
    b"'x'",
    b"",
)


def value(source, depth=2):
    """A value of whatever kind."""
    kind = source.below(12)
    if kind < 4:
        return source.one_of(NUMBERS)
    if kind < 8 or not depth:
        return source.one_of(_WORDS)
    if kind == 8:
        deep = source.one_of((1, 3, 30, DEEPEST))
        opening, closing = source.one_of(((b"[", b"]"), (b'{"a":', b"}")))
        deep = min(deep, 6000 // len(opening))
        return opening * deep + source.one_of((b"1", b"")) + closing * deep
    items = [value(source, depth - 1) for _ in range(source.below(4))]
    if kind < 10:
        return b"[" + b",".join(items) + b"]"
    return obj([(string(source), item) for item in items])


def string(source):
    """A text, in quotes, mostly a sound one."""
    return source.one_of(_WORDS[:14])


def obj(members):
    """An object of (key with its quotes, value) pairs."""
    return b"{" + b",".join(key + b":" + item for key, item in members) + b"}"


def changed(source, members):
    """An object like that of members, (key, value) as bytes without quotes around the key; some
    are left out, doubled, exchanged, given another value, and the text may be mutated besides."""
    members = [(b'"' + key + b'"', item) for key, item in members]
    for _ in range(source.below(4)):
        place = source.below(len(members))
        key, _ = members[place]
        what = source.below(8)
        if what < 4:
            members[place] = key, value(source)
        elif what == 4 and len(members) > 1:
            del members[place]
        elif what == 5:
            members.append((key, value(source)))
        elif what == 6:
            members[place] = key, source.one_of(members)[1]
        else:
            members.append((string(source), value(source)))
    text = obj(members)
    return mutated(source, text, [item for _, item in members]) if source.chance(4) else text
