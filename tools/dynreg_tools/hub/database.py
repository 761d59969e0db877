"""One SQLite file whose errors while the hub runs are StoreError."""

import sqlite3
from pathlib import Path
from typing import Any

from .rules import HubError


class StoreError(HubError):
    """The file cannot be read or written now: its disk is full, or broken. Nothing has changed."""


class Database(sqlite3.Connection):
    """A connection; execute() raises sqlite3.IntegrityError as it is, and else StoreError."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as exc:
            raise StoreError(f"hub.db: {exc}") from exc


def connect(path: Path) -> Database:
    """Open the file, without waiting for another process that has it; sqlite3.Error."""
    return sqlite3.connect(path, timeout=0, isolation_level=None, factory=Database)
