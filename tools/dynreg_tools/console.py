"""What a person sees: tables and bars in a terminal, plain lines in a pipe, JSON when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console as Rich
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

from .printable import clean
from .signs import Signs
from .tables import table


class Console:
    """One command's output. With as_json standard output gets JSON only, and nothing else."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json
        self._rich = Rich(stderr=as_json, highlight=False)
        if not self._rich.width:  # COLUMNS=0: rich would show nothing
            self._rich.width = 80
        self.terminal = self._rich.is_terminal

    def say(self, *parts: str | tuple[str, str]) -> None:
        """One line for a person: texts, or (text, style of rich's)."""
        if self.terminal or not self._json:
            # soft_wrap: in a pipe, lines are not cut to a width that nobody has
            shown = [
                clean(one, None) if isinstance(one, str) else (clean(one[0], None), one[1])
                for one in parts
            ]
            self._rich.print(Text.assemble(*shown), soft_wrap=not self.terminal)

    def result(self, value: Any) -> None:
        """What a program reads: one line of JSON, only with --json."""
        if self._json:
            print(json.dumps(value), flush=True)

    def table(
        self, rows: list[dict[str, Any]], columns: Iterable[str], spare: Sequence[str] = ()
    ) -> None:
        """The rows' columns; nothing with --json.

        spare: those that a narrow terminal may go without, the last of them first. No cell is ever
        cut short (tables.py).
        """
        if self._json:
            return
        columns = list(columns)
        cells = [[_word(row.get(name)) for name in columns] for row in rows]
        for line in table(columns, cells, self._rich.width if self.terminal else None, spare):
            self._rich.print(line, soft_wrap=not self.terminal)

    def errors(self, rows: list[dict[str, Any]], place: str, *names: str) -> None:
        """Below a table: where something is wrong, and what; what is alike in one line."""
        alike: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            if row.get("message"):
                words = [str(row[name]) for name in names if row.get(name) not in (None, "-")]
                alike.setdefault((" ".join(words), row["message"]), []).append(row[place])
        for (what, message), places in alike.items():
            named = (f"{what}: ", "red") if what else ""
            self.say((", ".join(places) + ": ", "bold"), named, message)

    def actions(self, rows: list[dict[str, Any]]) -> None:
        """What to do about each error in the rows, once."""
        found = {row["error"]: row["what_to_do"] for row in rows if row.get("error")}
        for error, action in found.items():
            self.say((f"what to do about {error}: ", "yellow"), action)

    def signs(self, counters: str) -> Signs:
        return Signs(self._rich if self.terminal else None, counters)

    def bell(self) -> None:
        """A terminal's sound."""
        if self.terminal:
            self._rich.bell()

    def progress(self, ports: list[str], what: str) -> Bars:
        return Bars(self._rich if self.terminal else None, ports, what)


_STEP_WIDTH = 16  # columns of "asking who it is"
_LEAST_BAR = 4


class Bars:
    """A bar for each board and one in total, in a terminal; nothing elsewhere."""

    def __init__(self, rich: Rich | None, ports: list[str], what: str) -> None:
        self._bars = None
        if rich is None:
            return
        room = rich.width - max(map(cell_len, [what, *ports])) - _STEP_WIDTH - 2
        whole = Column(no_wrap=True, min_width=max(map(cell_len, [what, *ports])))
        bar = [BarColumn(bar_width=min(16, room))] if room >= _LEAST_BAR else []
        self._bars = Progress(
            TextColumn("{task.description}", table_column=whole, markup=False),
            *bar,
            TextColumn("{task.fields[step]}", markup=False),
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
    return "-" if value is None else clean(str(value), None)


def fail(text: str) -> None:
    """The one line of a command that cannot be done."""
    print(f"dynreg: {clean(text, None)}", file=sys.stderr, flush=True)
