"""What runs on the board: MicroPython sources that a Link sends over the raw REPL.

Nothing here is imported by the host; send() puts a file's functions into the board's REPL, and
their results come back as printed text.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from ...printable import loads
from ..errors import BoardError

_FOLDER = Path(__file__).parent
_MARK = "dynreg.result "  # an interrupted program's timers may print in between


class Prompt(Protocol):
    """A board's raw REPL: a Link."""

    port: str

    def exec(self, code: str, timeout: float = ...) -> str:
        """Runs code and returns what it printed."""
        ...


@cache
def source(name: str) -> str:
    """The code of one file here, without its comments, docstrings and types: fewer bytes."""
    tree = ast.parse((_FOLDER / f"{name}.py").read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and len(body) > 1:
                del body[0]
    return ast.unparse(tree)


def send(link: Prompt, *names: str) -> None:
    """Defines the functions of these files in the board's REPL."""
    for name in names:
        link.exec(f"{source('answer')}\n{source(name)}")


def statement(function: str, *arguments: Any) -> str:
    """The call of a function that was sent, with literals, in ASCII whatever is in them."""
    return f"{function}({', '.join(map(ascii, arguments))})"


def run(link: Prompt, function: str, *arguments: Any) -> str:
    """Calls a function that was sent; what it printed."""
    return link.exec(statement(function, *arguments))


def call(link: Prompt, function: str, *arguments: Any, timeout: float = 20) -> Any:
    """Calls a function that was sent; its result, which is JSON on the way."""
    return _answer(link, statement(function, *arguments), timeout)


def call_each(link: Prompt, timeout: float, **calls: tuple[Any, ...]) -> dict[str, Any]:
    """Calls several functions in one exchange: {name: result} of name=(function, argument, …)."""
    pairs = (f"{name!r}: {statement(*one)}" for name, one in calls.items())
    return _answer(link, f"{{{', '.join(pairs)}}}", timeout)


def _answer(link: Prompt, expression: str, timeout: float) -> Any:
    output = link.exec(f"answer({_MARK!r}, {expression})", timeout=timeout)
    for line in reversed(output.split("\n")):  # other ends of lines may be in a text of it
        if _MARK in line:
            try:
                return loads(line.split(_MARK, 1)[1])
            except ValueError:
                break
    raise BoardError("board.lost", f"{link.port}: the board's answer is cut off: run it again")
