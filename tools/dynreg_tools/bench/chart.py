"""The bench's figures as bars, drawn from its tables: a run's, or those of docs/performance.md."""

from itertools import groupby
from pathlib import Path

from .drawing import WIDTH, Drawing
from .report import BEGIN, END

_EDGE, _GAP, _BAR, _LINE = 16, 16, 14, 19
_COLUMN = (WIDTH - 2 * _EDGE - _GAP) / 2
_FIGURE = 50  # what a figure takes behind the longest bar
_BOOTS = {
    "first": ("first boot", "orange"),
    "warm": ("warm boot", "blue"),
    "warm, 3 reconnects": ("with 3 reconnects", "green"),
}


def tables(page: Path) -> str:
    """The bench's tables as they stand in a page."""
    return page.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def svg(text: str) -> str:
    """What the tables of report.text() say of each client's boots, as one picture.

    Round trips beside bytes over the first link, where one was measured; then the smallest heap on
    the first interpreter beside that on the second, 64 bits beside 32.
    """
    drawing = Drawing(
        "What a boot costs, by client",
        "Bars: round trips and bytes on the link, and the smallest heap at 64 and 32 bits, of a "
        "first boot, a warm boot, and one with 3 reconnects. The tables of the page have the same "
        "figures.",
    )
    top = _legend(drawing)
    for head, columns, rows in _panels(text):
        drawing.text(_EDGE, top + 24, head, bold=True)
        top += 48
        for place, (title, _) in enumerate(columns):
            drawing.text(_EDGE + place * (_COLUMN + _GAP), top, title, "muted")
        same_scale = "heap" in head  # of 64 bits and of 32
        top = _panel(drawing, [at for _, at in columns], rows, top + 10, same_scale)
    drawing.height = top
    return drawing.svg()


def _panels(text: str) -> list[tuple[str, list[tuple[str, int]], list[list[str]]]]:
    """Heading, (title, cell) of each column, and the rows, of the link and of the heap."""
    panels = []
    if rows := _table(text, "round trips"):
        link = text[: text.index("; medians of")].splitlines()[-1]
        columns = [("round trips", 3), ("bytes, both ways", 5)]
        panels.append((f"To the clock set: {link}", columns, rows[1:]))
    if rows := _table(text, "heap"):
        columns = [
            (cell.replace(": TLS", " MicroPython"), at + 1)
            for at, cell in enumerate(rows[0])
            if cell.endswith(": TLS")
        ]
        panels.append(("Smallest heap, KiB", columns[:2], rows[1:]))
    return panels


def _table(text: str, column: str) -> list[list[str]]:
    """The cells of the first table that has the column; its heading first, without the rule."""
    for table in text.split("\n\n"):
        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
        if rows and column in rows[0]:
            return [rows[0], *rows[2:]]
    return []


def _legend(drawing: Drawing) -> float:
    for place, (words, colour) in enumerate(_BOOTS.values()):
        x = _EDGE + 138 * place
        _bar(drawing, colour, x, 16, 16)
        drawing.text(x + 22, 28, words)
    return 36


def _panel(
    drawing: Drawing, cells: list[int], rows: list[list[str]], top: float, same_scale: bool
) -> float:
    """A heading for each client, and a bar for each of its boots in each column; where it ends."""
    boot_cell = next(at for at, cell in enumerate(rows[0]) if cell in _BOOTS)
    figures = {at: [_figure(row[at]) for row in rows] for at in cells}
    most = {at: max(*values, 1) for at, values in figures.items()}
    if same_scale:
        most = dict.fromkeys(cells, max(most.values()))
    for client, boots in groupby(rows, key=lambda row: row[0]):
        top += 20
        drawing.text(_EDGE, top, client)
        top += 6
        for row in boots:
            for place, at in enumerate(cells):
                left = _EDGE + place * (_COLUMN + _GAP)
                width = _figure(row[at]) / most[at] * (_COLUMN - _FIGURE)
                colour = _BOOTS[row[boot_cell]][1]
                _bar(drawing, colour, left, top, width, "bar")
                drawing.text(left + width + 5, top + 12.5, row[at])
            top += _LINE
        top += 4
    return top + 12


def _bar(
    drawing: Drawing, colour: str, x: float, y: float, width: float, classes: str = ""
) -> None:
    """Full, hollow or thin, so that they are told apart without their colours too."""
    if colour == "blue":
        place = {"x": x + 1, "y": y + 1, "width": max(width - 2, 0), "height": _BAR - 2}
        drawing.shape("rect", "page", colour, **place, stroke_width=2, classes=classes)
    else:
        thin = 4 if colour == "green" else 0
        place = {"x": x, "y": y + thin, "width": width, "height": _BAR - 2 * thin}
        drawing.shape("rect", colour, **place, classes=classes)


def _figure(cell: str) -> float:
    return 0.0 if cell == "–" else float(cell)
