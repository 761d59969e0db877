"""A table in as many columns as there are, in which no cell is ever cut short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.text import Text

Row = Sequence[str]
_COLOURS = {
    "good": "green",
    "ok": "green",
    "yes": "green",
    "failed": "red",
    "broken": "red",
    "damaged": "red",
}
# Headings longer than what stands below them: in lines, where there is no room for one.
_HALVES = {
    "micropython": ("micro-", "python"),
    "registered": ("regis-", "tered"),
    "fingerprint": ("finger-", "print"),
    "gateway": ("gate-", "way"),
}
_INDENT = 2  # of a row's lines but the first
_PROSE = 14  # a cell longer than that is wrapped between its words, if it has any


def table(
    columns: Row, cells: Sequence[Row], width: int | None = None, spare: Row = ()
) -> Iterator[Text]:
    """Its lines. width: of the terminal; None: as wide as it comes.

    Where the width is too small, headings take several lines and prose is wrapped; then columns
    of `spare` are left out, the last first, and a line says which; then each row, with all its
    cells, takes several lines.
    """
    if width is None:
        yield from _drawn([[name] for name in columns], cells, _widths([columns, *cells]), "  ")
        return
    for shown in _fewer(columns, spare):
        chosen = _columns(cells, columns, shown)
        words = [name.split(" ") for name in shown]
        halves = [[part for one in name for part in _HALVES.get(one, (one,))] for name in words]
        for headings, gap in (
            ([[name] for name in shown], "  "),
            (words, "  "),
            (halves, "  "),
            (halves, " "),
        ):
            room = width - len(gap) * (len(shown) - 1)
            if widths := _fitting(headings, chosen, room, wrap=gap == " "):
                yield from _drawn(headings, chosen, widths, gap, "bold")
                yield from _left_out(columns, shown)
                return
    shown = min(_fewer(columns, spare), key=lambda some: len(_levels(columns, some, cells, width)))
    levels = _levels(columns, shown, cells, width)
    yield from _stacked(shown, _columns(cells, columns, shown), levels)
    yield from _left_out(columns, shown)


def _fewer(columns: Row, spare: Row) -> Iterator[list[str]]:
    """All columns, then without one of spare after the other, the last first."""
    for count in range(len(spare), -1, -1):
        yield [name for name in columns if name not in spare[count:]]


def _columns(cells: Sequence[Row], columns: Row, shown: Row) -> list[list[str]]:
    return [[line[columns.index(name)] for name in shown] for line in cells]


def _left_out(columns: Row, shown: Row) -> Iterator[Text]:
    if left := ", ".join(name for name in columns if name not in shown):
        yield Text(f"(no room for {left}: --json has all)", "dim")


def _fitting(headings: Sequence[Row], cells: list[list[str]], room: int, wrap: bool) -> list[int]:
    """The columns' widths, which come to `room` at most; none where they cannot."""
    widths = _widths([*zip_longest(*headings, fillvalue=""), *cells])
    least = widths
    if wrap:
        words = [[max(_words(cell), key=cell_len) for cell in row] for row in cells]
        least = _widths([*zip_longest(*headings, fillvalue=""), *words])
    while (over := sum(widths) - room) > 0:
        at = max(range(len(widths)), key=lambda n: (widths[n] > least[n], widths[n]), default=0)
        if not widths or widths[at] == least[at]:
            return []
        widths[at] = max(least[at], widths[at] - over)
    return widths


def _drawn(
    headings: Sequence[Row], cells: Sequence[Row], widths: list[int], gap: str, style: str = ""
) -> Iterator[Text]:
    above = max(map(len, headings), default=0)
    padded = [[""] * (above - len(heading)) + [*heading] for heading in headings]
    for line in zip(*padded, strict=True):
        yield _line(line, widths, gap, [style] * len(widths))
    for row in cells:
        styles = [_COLOURS.get(cell, "") for cell in row]
        wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for line in zip_longest(*wrapped, fillvalue=""):
            yield _line(line, widths, gap, styles)


def _levels(columns: Row, shown: Row, cells: Sequence[Row], width: int) -> list[list[int]]:
    """Which columns of those shown stand in each of a row's lines."""
    widths = _widths([shown, *_columns(cells, columns, shown)])
    levels: list[list[int]] = [[]]
    for at, one in enumerate(widths):
        taken = _INDENT + sum(widths[other] + 2 for other in levels[-1])
        if levels[-1] and taken + one > width:
            levels.append([])
        levels[-1].append(at)
    return levels


def _stacked(columns: Row, cells: Sequence[Row], levels: list[list[int]]) -> Iterator[Text]:
    """Each row in several lines, the columns of each line below one another."""
    widths = _widths([columns, *cells])
    for row, heading in ((columns, True), *((row, False) for row in cells)):
        for depth, level in enumerate(levels):
            styles = ["bold" if heading or at == 0 else _COLOURS.get(row[at], "") for at in level]
            line = _line([row[at] for at in level], [widths[at] for at in level], "  ", styles)
            yield Text(" " * _INDENT * bool(depth)).append_text(line)


def _line(row: Row, widths: list[int], gap: str, styles: list[str]) -> Text:
    line = Text()
    for cell, width, style in zip(row, widths, styles, strict=True):
        line.append(cell, style).append(" " * (width - cell_len(cell)) + gap)
    line.rstrip()
    return line


def _widths(rows: Sequence[Row]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]


def _words(cell: str) -> list[str]:
    """What may not be parted: the words of prose, any other cell as a whole."""
    return (cell.split() if cell_len(cell) > _PROSE else []) or [cell]


def _wrapped(cell: str, width: int) -> list[str]:
    if cell_len(cell) <= width:
        return [cell]
    lines = [""]
    for word in _words(cell):
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append("")
        lines[-1] += " " * bool(lines[-1]) + word
    return lines
