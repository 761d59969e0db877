"""docs/timeouts.md: the values of its table are read from the code, by module and name.

`python -m tests_host.api_page.timeouts` writes them; test_timeouts.py holds them. A row's last
cell names where its values are, in their order:

    connect/wifi.py _ADDRESS_MS                a constant, of a module or a class
    connect/wifi.py join(ms)                   an argument's default
    hub/limits.py Limits.idle_timeout          a field's default
    commands/doctor.py --timeout               an option's default
    boards/apply.py onboard.call timeout=      what all such calls of the module give
    mqtt/session.py Session._turn: ticks_add   the number that a function gives such a call
    services/setup/settings.py load "open"     the numbers in a function's tuple of that name
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dynreg_tools import sources

PAGE = sources.ROOT / "docs" / "timeouts.md"
SECONDS = re.compile(
    r"(_S|\"|SECONDS|TIMEOUT|timeout|seconds|keepalive|KEEPALIVE|interval|window)$"
)
# A value in its cell: a number, with its unit where it is a time.
VALUE = re.compile(r"\d(?:[\d,.]*\d)?(?: (?:ms|s|min|h)\b)?")
_UNITS = ((3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms"))


class Row(NamedTuple):
    folder: Path  # of the places
    cells: list[str]  # bounds, value, what is seen and how to change it, where

    @property
    def places(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.cells[3])


def rows(text: str) -> Iterator[tuple[int, Row]]:
    """(line number, row) of each value of the page."""
    folder = sources.ROOT
    for number, line in enumerate(text.splitlines()):
        if line.startswith("## ") or line.startswith("### "):
            if found := re.search(r"`([a-z_/]+)`", line):
                folder = sources.ROOT / found[1]
            elif line.startswith("### ") and "lib" in folder.parts:
                folder = sources.LIB / "dynreg"
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] != "what it bounds":
            yield number, Row(folder, cells)


def written(text: str) -> str:
    """The page with the values that the code has."""
    lines = text.splitlines()
    for number, row in rows(text):
        values = [one for place in row.places for one in shown(row.folder, place)]
        found = VALUE.findall(row.cells[1])
        assert len(values) == len(found), f"{row.cells[0]}: {values} for {found}"
        following = iter(values)
        row.cells[1] = VALUE.sub(lambda _: next(following), row.cells[1])  # noqa: B023
        lines[number] = "| " + " | ".join(row.cells) + " |"
    return "\n".join(lines) + "\n"


def shown(folder: Path, place: str) -> list[str]:
    """The values at a place, as they stand on the page."""
    file, _, name = place.partition(" ")
    value = found(folder / file, name)
    several = list(value.values()) if isinstance(value, dict) else value
    several = several if isinstance(several, list) else [several]
    return [_words(one, name) for one in several]


def _words(value: float, name: str) -> str:
    name = name.rstrip(")=").rpartition("(")[2]
    ms = None
    if name.lower().endswith(("_ms", " ticks_add")) or name == "ms":
        ms = value
    elif SECONDS.search(name):
        # machine.WDT() takes milliseconds.
        ms = value if name.startswith("WDT") else value * 1000
    if ms is None:
        return f"{value:,}"
    for size, unit in _UNITS:
        if (
            ms >= size
            and (ms % size == 0 or size <= 1000)
            and not (unit == "min" and ms < 120_000)
        ):
            return f"{ms / size:,.10g} {unit}"
    return "0 s"


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def found(path: Path, name: str) -> Any:
    """The value at a place; LookupError where there is none."""
    tree = parsed(path)
    if name.startswith("--"):
        return _option(path, name)
    if name.endswith("="):
        call, _, keyword = name[:-1].partition(" ")
        values = {_value(path, k.value) for k in _keywords(tree, call, keyword)}
        if len(values) == 1:
            return values.pop()
    elif ": " in name:
        function, _, call = name.partition(": ")
        for node in ast.walk(_function(tree, function)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(call):
                for argument in node.args:
                    if isinstance(argument, ast.Constant):
                        return argument.value
    elif name.endswith('"'):
        function, _, entry = name[:-1].partition(' "')
        for node in ast.walk(_function(tree, function)):
            if isinstance(node, ast.Tuple) and ast.unparse(node.elts[0]) == repr(entry):
                return [ast.literal_eval(one) for one in node.elts[1:]]
    elif name.endswith(")"):
        function, _, argument = name[:-1].partition("(")
        for one, value in defaults(_function(tree, function).args):
            if one.arg == argument:
                return _value(path, value)
    else:
        body: list[ast.stmt] = tree.body
        owner, _, last = name.rpartition(".")
        if owner:
            body = next(n.body for n in body if isinstance(n, ast.ClassDef) and n.name == owner)
        for one, value in constants(body):
            if one == last:
                return _value(path, value)
    raise LookupError(f"{path}: no {name}, or several")


def constants(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of the assignments of a module or class, tuples taken apart."""
    for node in body:
        if isinstance(node, ast.AnnAssign) and node.value:
            yield ast.unparse(node.target), node.value
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(map(ast.unparse, target.elts), node.value.elts, strict=True)
            else:
                yield ast.unparse(target), node.value


def _value(path: Path, node: ast.expr) -> Any:
    """What an expression of numbers, and of the module's own or imported constants, comes to."""
    if isinstance(node, ast.Attribute):  # pack.SECONDS
        folder, name = _home(path, ast.unparse(node.value))
        return found(folder.with_suffix("") / f"{name}.py", node.attr)
    known: dict[str, Any] = {"const": lambda value: value, "__builtins__": {}}
    for name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {"const"}:
        known[name] = found(*_home(path, name))
    return eval(compile(ast.Expression(node), str(path), "eval"), known)


def _home(path: Path, name: str) -> tuple[Path, str]:
    """Where a module's name is given its value."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and name in [one.name for one in node.names]:
            assert node.module
            folder = path.parents[max(node.level - 1, 0)]
            return folder.joinpath(*node.module.split(".")).with_suffix(".py"), name
    return path, name


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    body: list[ast.stmt] = tree.body
    for part in name.split("."):
        node = next((n for n in body if getattr(n, "name", None) == part), None)
        if node is None:
            raise LookupError(f"no {name}")
        body = node.body  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node


def defaults(args: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    named = [*args.posonlyargs, *args.args]
    if args.defaults:
        yield from zip(named[-len(args.defaults) :], args.defaults, strict=True)
    yield from ((a, v) for a, v in zip(args.kwonlyargs, args.kw_defaults, strict=True) if v)


def _keywords(tree: ast.AST, call: str, keyword: str) -> Iterator[ast.keyword]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(call):
            yield from (k for k in node.keywords if k.arg == keyword)


def _option(path: Path, name: str) -> Any:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add_argument"):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            given = [k.value for k in node.keywords if k.arg == "default"]
            if name in names and given:
                return _value(path, given[0])
    raise LookupError(f"{path}: no option {name}")


def main() -> int:
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
