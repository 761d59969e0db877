"""A report for one run: locked, and what a run that was killed has left is put in order first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import files
from . import reportlock
from .report import Report


@contextmanager
def opened(path: Path | None, reading: bool = False) -> Iterator[Report]:
    """The report, for as long as a run goes on; without a path one that is nowhere written.

    reading: nothing will be added to it. BoardError "report.locked" where another run has it,
    "argument" where it is something else.
    """
    if path is None or reading:
        yield Report(path)
        return
    Report(path)  # only reads: says what is wrong with it before a lock lies beside it
    with reportlock.held(path):
        yield _mended(path)


def _mended(path: Path) -> Report:
    """Of a row that was being written when the run was killed, all or nothing is left."""
    files.partial(path.resolve()).unlink(missing_ok=True)
    report = Report(path)
    attempts = path.with_suffix(".jsonl")
    if attempts.is_file():
        last = _last_line(attempts)
        # FILE.csv is written after each line, so it is older than a line that it lacks. Where a
        # person has changed it since, or taken it away, that holds.
        if last and path.exists() and attempts.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            report.put(last)
    return report


def _last_line(attempts: Path) -> dict | None:
    """The last attempt; a line that is not whole is taken away."""
    with attempts.open("r+b") as file:
        whole, end, torn = file.read().rpartition(b"\n")
        if _row(torn):
            file.write(b"\n")
            return _row(torn)
        if torn:
            file.truncate(len(whole) + len(end))
    return _row(whole.rpartition(b"\n")[2])


def _row(line: bytes) -> dict | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "outcome" in row else None
