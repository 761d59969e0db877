"""open() as MicroPython has it: UTF-8, and line ends as they are in the file."""

import builtins
from typing import Any

_open = builtins.open


def open_text(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
    if "b" not in mode and not arguments:
        keywords = {"encoding": "utf-8", "newline": "", **keywords}
    return _open(file, mode, *arguments, **keywords)


def install() -> None:
    builtins.open = open_text
