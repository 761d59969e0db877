"""The counters of a shift: how many boards are good, how many failed, of how many tries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .report import GOOD, Report


class Shift:
    """Counts boards by their latest outcome, and tries; since it was made."""

    def __init__(self) -> None:
        self.since = datetime.now()
        self.tries = 0
        self._latest = Report(None)  # which knows when two rows are of the same board
        self._already: set[str] = set()

    def count(self, row: dict[str, Any]) -> None:
        """A board's row: of a try, or of a board that was good before ("skipped")."""
        if row["outcome"] == "skipped":
            self._already.add(row["mac"])
            self._latest.met(row["port"])
            return
        self.tries += 1
        self._latest.add(row)

    @property
    def good(self) -> int:
        return sum(row["outcome"] == GOOD for row in self._latest.rows)

    @property
    def failed(self) -> int:
        return len(self._latest.rows) - self.good

    @property
    def already(self) -> int:
        """Boards that were good before this shift."""
        return len(self._already - {row["mac"] for row in self._latest.rows})

    def __str__(self) -> str:
        before = f", {self.already} good already" if self.already else ""
        tries = f"{self.tries} {'try' if self.tries == 1 else 'tries'}"
        counts = f"{self.good} good, {self.failed} failed{before}"
        return f"{counts}; {tries} since {self.since:%H:%M:%S}"
