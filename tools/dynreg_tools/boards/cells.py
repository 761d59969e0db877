"""A report's CSV: read from what a spreadsheet may have saved, written so that it runs nothing."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

from ..printable import tidy
from .errors import BoardError

# What a spreadsheet takes for a formula, where it begins a cell: at the beginning, and behind a
# semicolon, which separates cells in half of the world. East Asian releases take wide forms too.
_FORMULA = re.compile(r"((?:^|;)\s*)('*[=+\-@＝＋－＠])")
_QUOTED = re.compile(r"((?:^|;)\s*)'('*[=+\-@＝＋－＠])")


def quoted(value: Any) -> str:
    """A cell, with an apostrophe before what a spreadsheet would run."""
    return _FORMULA.sub(r"\1'\2", "" if value is None else str(value))


def plain(cell: str) -> str:
    """What was quoted()."""
    return _QUOTED.sub(r"\1\2", cell)


def read(path: Path) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """The names of a report's columns, and its rows. BoardError where it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Excel's UTF-8 begins with a mark
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        names = tuple(reader.fieldnames or ())
        return names, [{name: plain(row[name]) for name in names} for row in reader]
    except UnicodeDecodeError:
        why = "is not in UTF-8: save it as 'CSV UTF-8'"
    except csv.Error:
        why = "is no CSV file any more: take it from a backup"
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    raise BoardError("argument", f"{path}: {why}, or name another file")


def text(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """The file of these rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(map(quoted, columns))
    writer.writerows([quoted(tidy(row.get(name))) for name in columns] for row in rows)
    return file.getvalue()
