"""What others say (a board, a file, the environment), made safe for a terminal and for a file.

A board's text may hold escape sequences, marks that turn the direction of writing, halves of
characters; its JSON may hold numbers, nesting and names that no program of ours expects.
"""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

LIMIT = 1000  # characters of one text; a sentence of the library has 300 at most
_DEPTH = 16  # of JSON; our own has 4
_INTEGER = 2**63


def clean(text: str, limit: int | None = LIMIT) -> str:
    """The text on one line, without anything that a terminal would act on.

    Control characters, direction marks, lone surrogates and what is no character are written as
    escapes (\\x1b, \\u202e), every kind of blank is a blank. Longer than limit (None: any length
    will do): cut, with an ellipsis.
    """
    text = text if limit is None else text[: limit + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def tidy(value: Any) -> Any:
    """A JSON value with every text in it clean(), numbers that are none as text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(name)): tidy(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def loads(text: str) -> Any:
    """The JSON value of a text from outside. ValueError where it is none, or one that cannot be
    meant: NaN, numbers beyond 64 bits, deep nesting."""
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_integer, parse_float=_finite)
        _check_depth(value, _DEPTH)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return value


def _escape(char: str) -> str:
    if char == "\t" or unicodedata.category(char) == "Zs":
        return " "
    return char.encode("unicode_escape").decode("ascii")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_INTEGER <= int(digits) < _INTEGER:
        raise ValueError("a number beyond 64 bits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number beyond 64 bits")
    return value


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise ValueError("nested too deep")
        for one in value.values() if isinstance(value, dict) else value:
            _check_depth(one, left - 1)
