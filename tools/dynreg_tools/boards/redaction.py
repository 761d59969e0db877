"""Secrets taken out of what boards print, before it is kept or reported.

The library never prints one; a program on the board may print anything.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable

from .batch import OWN, Batch, placeholder

HIDDEN = "[hidden]"
_NAMES = (("wifi", "ssid"), ("setup", "name"))
_SHORTEST = 4  # a shorter one is in everything
# What follows such a name, whatever the quotes: {"deviceSecret": "…"}, password=…; but not the
# first word of a sentence that goes on, as in "each name has one secret: write {mac}".
_END = r"\s,;}\])"
_NAMED = re.compile(
    r"((?i:secret|password|passwd|psk|private_?key)\w{0,20}\\?['\"]?\s*[:=]\s*)"
    rf"(\\?['\"])?(?!\[hidden\])((?(2)(?:(?!\2).)+|(?:[a-z]*[^a-z{_END}][^{_END}]*|[a-z]+(?=\s*(?:[,;}}\])]|$)))))"
)
# Keys by their form: base64 with its padding (a device secret has 24 characters), 16 bytes or more
# in hex, and base64 so long and mixed that it is no word (a line of a PEM key).
_KEYS = re.compile(
    r"(?<![\w+/=])(?:[A-Za-z0-9+/]{18,}={1,2}|[0-9a-fA-F]{32,}"
    r"|(?=[A-Za-z+/]*\d)(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])[A-Za-z0-9+/]{40,})(?![\w+/=])"
)


class Redaction:
    """Takes a batch's own secrets out of a text, and whatever has a secret's name or form."""

    def __init__(self, batch: Batch) -> None:
        known = [
            *_texts([batch.values.get(key) for key in OWN]),
            *_texts([batch.values.get(key) for key in ("wifi", "setup")]),
        ]
        names = {(batch.values.get(a) or {}).get(b) for a, b in _NAMES}
        secrets = {text for text in known if not placeholder(text) and text not in names}
        forms = {form for text in secrets if len(text) >= _SHORTEST for form in _forms(text)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        text = self._known.sub(HIDDEN, text)
        text = _NAMED.sub(rf"\1{HIDDEN}", text)
        return _KEYS.sub(HIDDEN, text)


def _texts(value: object) -> Iterable[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _forms(secret: str) -> Iterable[str]:
    """How a program may print it: as it is, as Python or JSON writes it, in hex, in base64."""
    data = secret.encode()
    yield from (secret, repr(secret)[1:-1], repr(data)[2:-1], json.dumps(secret)[1:-1])
    yield from (data.hex(), data.hex().upper(), base64.b64encode(data).decode())
