"""What runs on the board: MicroPython sources that a Link sends over the raw REPL.

Nothing here is imported by the host; send() puts a file's functions into the board's REPL, and
their results come back as printed text.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BoardError
from ..link import Link

_FOLDER = Path(__file__).parent
_MARK = "dynreg.result "  # an interrupted program's timers may print in between


@cache
def source(name: str) -> str:
    """The code of one file here, without its comments, docstrings and types: fewer bytes."""
    tree = ast.parse((_FOLDER / f"{name}.py").read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and len(body) > 1:
                del body[0]
    return ast.unparse(tree)


def send(link: Link, name: str) -> None:
    """Defines the functions of onboard/name.py in the board's REPL."""
    link.exec(source(name))


def call(link: Link, function: str, *arguments: Any, timeout: float = 20) -> Any:
    """Calls a function that was sent, with literals; its result, which is JSON on the way."""
    text = ", ".join(repr(argument) for argument in arguments)
    output = link.exec(
        f"import json\nprint({_MARK!r} + json.dumps({function}({text})))", timeout=timeout
    )
    for line in reversed(output.splitlines()):
        if _MARK in line:
            try:
                return json.loads(line.split(_MARK, 1)[1])
            except ValueError:
                break
    raise BoardError("board.lost", f"{link.port}: the board's answer is cut off: run it again")
