"""The figures of the pages: which there are, what holds each, and what that says today.

A figure is a number with a unit (bytes, time, a count of what the project has) in prose or a
table; code is left out, and so is what stands between the comments of a command that writes it.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dynreg_tools import sources
from dynreg_tools.build import mpy
from dynreg_tools.sources import ROOT

_BYTES = {"bytes": 1, "byte": 1, "KB": 1024, "KiB": 1024, "MB": 1 << 20, "MiB": 1 << 20}
_TIME = {
    **dict.fromkeys(("ms",), 1),
    **dict.fromkeys(("s", "second", "seconds"), 1000),
    **dict.fromkeys(("min", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000),
}
_COUNTS = dict.fromkeys(
    ("%", "packets", "reads", "writes", "tests", "faults", "codes", "commands", "files", "passed"),
    1,
)
UNITS = _BYTES | _TIME | _COUNTS
_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
_ONE_OR_TWO = rf"(?:{_NUMBER})(?: (?:to|and|or) (?:{_NUMBER}))?"
_FIGURE = re.compile(rf"(?<![\w.,:–-]){_ONE_OR_TWO}[ -]?(?:{'|'.join(UNITS)})(?!\w)")
_GENERATED = re.compile(
    r"<!-- (?:made by|figures of|[^>]*writes from here)[^>]*-->.*?<!-- (?:end|to t?here)[^>]*-->",
    re.DOTALL,
)
_CODE = re.compile(r"^```.*?^```|`[^`\n]+`|^ {4}[^\n]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Figure:
    """One in a page: its text, such as "15 to 60 min", what stands before it, and where it is."""

    text: str
    before: str = ""
    line: int = 0
    start: int = 0

    @property
    def values(self) -> list[float]:
        """In bytes, milliseconds or pieces."""
        return [float(number.replace(",", "")) * self._unit for number in self._numbers]

    @property
    def rounding(self) -> float:
        """Half of the last digit's place, in the same units."""
        decimals = max(len(number.partition(".")[2]) for number in self._numbers)
        return self._unit * 10**-decimals / 2 + 1e-6

    def now(self, value: float) -> str:
        """The same figure, a single one, of another value."""
        (number,) = self._numbers
        new = f"{value / self._unit:.{len(number.partition('.')[2])}f}"
        return self.text.replace(number, new)

    @property
    def _numbers(self) -> list[str]:
        return re.findall(_NUMBER, self.text)

    @property
    def _unit(self) -> int:
        return UNITS[re.sub(rf"^{_ONE_OR_TWO}[ -]?", "", self.text)]


def figures(text: str) -> list[Figure]:
    """Those of a page that nobody writes for us."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    prose = _CODE.sub(blank, _GENERATED.sub(blank, text))
    return [
        Figure(
            found[0],
            " ".join(text[: found.start()].split()),
            prose.count("\n", 0, found.start()) + 1,
            found.start(),
        )
        for found in _FIGURE.finditer(prose)
        if re.search("[1-9]", found[0])
    ]


def pages() -> dict[str, str]:
    """{path: text} of the English pages; the Chinese ones are held equal to them elsewhere."""
    every = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    every += [ROOT / "firmware" / "README.md", ROOT / "examples" / "README.md"]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in sorted(every)
        if ".zh-CN" not in path.name and path.name != "CHANGELOG.md"
    }


# ---- what figures are, today


@cache
def constant(place: str) -> float:
    """Of "lib/dynreg/x.py _NAME_MS" or "… function.argument" the value, or the default.

    In bytes, milliseconds or pieces.
    """
    path, name = place.split()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        value = _value(node, name)
        if value is not None:
            number = eval(
                compile(ast.Expression(value), path, "eval"), {}
            )  # numbers, and * of them
            return float(number) * (1000 if re.search(r"_S$|_SECONDS$|timeout$", name) else 1)
    raise AssertionError(f"{path} has no {name}")


def _value(node: ast.AST, name: str) -> ast.expr | None:
    """What a node gives that name, if it is its."""
    function, _, argument = name.partition(".")
    if isinstance(node, ast.FunctionDef) and node.name == function and argument:
        given = node.args.args[::-1]
        defaults = zip(given, node.args.defaults[::-1], strict=False)
        return next((value for arg, value in defaults if arg.arg == argument), None)
    targets = []
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value if name in map(ast.unparse, targets) else None
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "const":
        return value.args[0]
    return value


@cache
def mpy_bytes(folder: Path) -> dict[str, int]:
    """Bytes of .mpy of each module, and "all of dynreg" and its like."""
    sizes = mpy.sizes(sources.LIB, folder)
    return sizes | {f"all of {name}": size for name, size in mpy.totals(sizes).items()}


@cache
def service_heap(name: str) -> float:
    """Bytes of heap at 32 bits, of the table in docs/performance.md, which is a test's own."""
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    row = re.search(rf"^\| {name} +\| +\d+ \| +\d+ \| +(\d+) \|$", page, re.MULTILINE)
    assert row, name
    return float(row[1])
