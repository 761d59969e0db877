"""The report of a batch: one CSV row for each board, and every attempt as a JSON line."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .. import files
from ..printable import tidy
from . import cells
from .errors import BoardError

# time: UTC, when the board was done. attempts: at this board, this one with them. region: its
# name, or the host of a gateway of one's own. library: dynreg on the board; tools: this command.
COLUMNS: tuple[str, ...] = (
    "port",
    "mac",
    "device",
    "outcome",
    "error",
    "message",
    "what_to_do",
    "seconds",
    "attempts",
    "time",
    "fingerprint",
    "product",
    "region",
    "chip",
    "micropython",
    "library",
    "tools",
    "tls",
)
_NEEDED = {"port", "mac", "device", "outcome"}  # what a report of any edition has
GOOD = "good"
# Of a good board's row, what still holds when it is left out of a later run.
OF_GOOD = ("device", "fingerprint", "library", "tls", "attempts", "time")


class Report:
    """FILE.csv holds the latest row of each board; FILE.jsonl, beside it, all rows ever.

    Both are on the disk after every board, so that nothing is lost when the bench is. A report
    with fewer columns, of an earlier edition, is carried on, and columns of one's own are kept.
    BoardError where the file is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []
        self._columns = COLUMNS
        if path is not None and path.suffix != ".csv":
            raise BoardError("argument", f"{path}: a report is a .csv file: name it so")
        if path is not None and path.exists():
            self._read(path)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The latest row of each board, in the order of their last attempts."""
        return list(self._rows)

    def good(self, mac: str) -> dict[str, Any] | None:
        """The row of a board that is done already."""
        for row in self._rows:
            if row["mac"] == mac and row["outcome"] == GOOD:
                return row
        return None

    def names(self, product_id: str) -> dict[str, str]:
        """{device name: MAC} of the boards in it, of this product; a good one comes before one
        that may have the name."""
        found: dict[str, str] = {}
        for row in sorted(self._rows, key=lambda row: row["outcome"] != GOOD):
            if row.get("product") in (None, "", product_id) and row.get("error") != "config.name":
                found.setdefault(row["device"], row["mac"])
        return {name: mac for name, mac in found.items() if name and mac}

    def add(self, row: dict[str, Any]) -> dict[str, Any]:
        """Puts a board's row in the place of its last one, and down as an attempt; returns it as
        it was written. BoardError where it cannot be."""
        old = (other for other in self._rows if _same(other, row) and _mac(other) == _mac(row))
        before = sum(other["attempts"] for other in old)
        row = {name: tidy(row.get(name)) for name in COLUMNS} | {
            "attempts": before + 1,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        if self.path is not None:
            attempts = self.path.with_suffix(".jsonl")
            files.narrow(attempts)
            try:
                if not self.path.exists():  # so that attempts without a report are of an old one
                    self._write(self.path)
                with open(attempts, "a", encoding="utf-8", opener=files.private_opener) as file:
                    file.write(json.dumps(row) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise _not_written(self.path, error) from None
        self.put(row)
        return row

    def put(self, row: dict[str, Any]) -> None:
        """A row that is among the attempts already. BoardError where it cannot be written.

        A board whose MAC nobody could read is known by its port, until one there has a MAC.
        """
        old = [other for other in self._rows if _same(other, row)]
        own = {name: other[name] for other in old for name in self._columns if name not in COLUMNS}
        self._keep([other for other in self._rows if other not in old] + [row | own])

    def met(self, port: str) -> None:
        """A board that is good already is at this port: what failed there without a MAC was it."""
        rows = [row for row in self._rows if _mac(row) or row["port"] != port]
        if len(rows) < len(self._rows):
            self._keep(rows)

    def _keep(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows
        if self.path is not None:
            try:
                self._write(self.path)
            except OSError as error:
                raise _not_written(self.path, error) from None

    def _write(self, path: Path) -> None:
        files.write(path, cells.text(self._rows, self._columns), files.PRIVATE)

    def _read(self, path: Path) -> None:
        names, rows = cells.read(path)
        self._rows = [row | {"attempts": _attempts(row)} for row in rows]
        if not set(names) >= _NEEDED:
            raise BoardError("argument", f"{path}: is no report of dynreg's: name another file")
        self._columns = (*COLUMNS, *(name for name in names if name not in COLUMNS))


def _not_written(path: Path, error: OSError) -> BoardError:
    return BoardError("report", f"{path}: cannot be written ({error.strerror}): make it writable")


def _same(old: dict[str, Any], new: dict[str, Any]) -> bool:
    if _mac(old) and _mac(new):
        return _mac(old) == _mac(new)
    return not _mac(old) and old["port"] == new.get("port")


def _mac(row: dict[str, Any]) -> str:
    return row.get("mac") or ""


def _attempts(row: dict[str, Any]) -> int:
    """Those that a row counts; one that does not say how many was one."""
    text = row.get("attempts") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
