"""open() as MicroPython has it: UTF-8, and line ends as they are in the file."""

import builtins

_open = builtins.open


def open_text(file, mode="r", *arguments, **keywords):
    if "b" not in mode and not arguments:
        keywords = {"encoding": "utf-8", "newline": "", **keywords}
    return _open(file, mode, *arguments, **keywords)


def install():
    builtins.open = open_text
