"""The report of a batch: one CSV row for each board, and every attempt as a JSON line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from .. import files
from .errors import BoardError

COLUMNS: tuple[str, ...] = (
    "port",
    "mac",
    "device",
    "outcome",
    "error",
    "what_to_do",
    "seconds",
    "fingerprint",
)
GOOD = "good"


class Report:
    """FILE.csv holds the latest row of each board; FILE.jsonl, beside it, all rows ever.

    Both are on the disk after every board, so that nothing is lost when the bench is. BoardError
    where the file is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []
        if path is not None and path.suffix != ".csv":
            raise BoardError("argument", f"{path}: a report is a .csv file: name it so")
        if path is not None and path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != COLUMNS:
                    raise BoardError(
                        "argument", f"{path}: is no report of dynreg's: name another file"
                    )
                self._rows = list(reader)

    def good(self, mac: str) -> dict[str, Any] | None:
        """The row of a board that is done already."""
        for row in self._rows:
            if row["mac"] == mac and row["outcome"] == GOOD:
                return row
        return None

    def add(self, row: dict[str, Any]) -> None:
        """Puts a board's row in the place of its last one. A board whose MAC nobody could read
        is known by its port, until another one there has a MAC."""
        row = {name: row.get(name) for name in COLUMNS}
        self._rows = [old for old in self._rows if not _same(old, row)] + [row]
        if self.path is None:
            return
        attempts = self.path.with_suffix(".jsonl")
        files.narrow(attempts)
        with open(attempts, "a", encoding="utf-8", opener=files.private_opener) as file:
            file.write(json.dumps(row) + "\n")
        text = io.StringIO()
        writer: csv.DictWriter[str] = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(self._rows)
        files.write(self.path, text.getvalue(), files.PRIVATE)


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    if old["mac"] and new["mac"]:
        return old["mac"] == new["mac"]
    return not old["mac"] and old["port"] == new["port"]
