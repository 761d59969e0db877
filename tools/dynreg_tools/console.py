"""What a person sees: tables and bars in a terminal, plain lines in a pipe, JSON when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console as Rich
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

_COLOURS = {"good": "green", "ok": "green", "yes": "green", "failed": "red", "broken": "red"}

# Long words over short cells: in two lines, or a row of ports takes more than 80 columns.
_TWO_LINES = {"micropython": "micro-\npython", "registered": "regis-\ntered"}


class Console:
    """One command's output. With as_json standard output gets JSON only, and nothing else."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json
        self._rich = Rich(stderr=as_json, highlight=False)
        self.terminal = self._rich.is_terminal

    def say(self, text: str) -> None:
        """One line for a person."""
        if self.terminal or not self._json:
            # soft_wrap: in a pipe, lines are not cut to a width that nobody has
            self._rich.print(Text(text), soft_wrap=not self.terminal)

    def result(self, value: Any) -> None:
        """What a program reads: one line of JSON, only with --json."""
        if self._json:
            print(json.dumps(value), flush=True)

    def table(self, rows: list[dict[str, Any]], columns: Iterable[str]) -> None:
        """The rows' columns; nothing with --json."""
        if self._json:
            return
        columns = list(columns)
        cells = [[_word(row.get(name)) for name in columns] for row in rows]
        if self.terminal:
            table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
            for name in columns:
                table.add_column(_TWO_LINES.get(name, name), no_wrap=True, overflow="fold")
            for line in cells:
                table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in line))
            self._rich.print(table)
            return
        widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
        for line in [columns, *cells]:
            print("  ".join(map(str.ljust, line, widths)).rstrip(), flush=True)

    def errors(self, rows: list[dict[str, Any]], *names: str) -> None:
        """Below a table: where something is wrong, and what."""
        for row in rows:
            if row.get("message"):
                place = " ".join(
                    str(row[name]) for name in names if row.get(name) not in (None, "-")
                )
                self.say(f"{place}: {row['message']}")

    def progress(self, ports: list[str], what: str) -> Bars:
        return Bars(self._rich if self.terminal else None, ports, what)


class Bars:
    """A bar for each board and one in total, in a terminal; nothing elsewhere."""

    def __init__(self, rich: Rich | None, ports: list[str], what: str) -> None:
        self._bars = None
        if rich is None:
            return
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[step]}"),
            console=rich,
            transient=True,
        )
        self._total = self._bars.add_task(what, total=len(ports) or 1, step=f"0 of {len(ports)}")
        self._tasks = {port: self._bars.add_task(port, total=1, step="waiting") for port in ports}
        self._count = 0

    def __enter__(self) -> Bars:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bars:
            self._bars.stop()

    def step(self, port: str, text: str, part: float) -> None:
        """The board is at a step, and so far in all (0 to 1). From any thread."""
        if self._bars:
            self._bars.update(self._tasks[port], completed=part, step=text)

    def done(self, port: str, text: str) -> None:
        if self._bars:
            self._count += 1
            self._bars.update(self._tasks[port], completed=1, step=text)
            of = f"{self._count} of {len(self._tasks)}"
            self._bars.update(self._total, completed=self._count, step=of)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def fail(text: str) -> None:
    """The one line of a command that cannot be done."""
    print(f"dynreg: {text}", file=sys.stderr, flush=True)
