"""A board from a batch's image to its report, without its prompt: burn, reset, watch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from .. import booting, fleet
from ..errors import BoardError
from ..logs import Logs
from .job import Job, Order

_BURNT = 0.65  # of a board's bar


def burn(
    port: str,
    order: Order,
    timeout: float,
    logs: Logs,
    done: Callable[[str], bool],
    stop: threading.Event,
    step: fleet.Step,
) -> tuple[fleet.Row, dict[str, Any] | None]:
    """The board's row, and what booting.watch() saw of its start.

    None where nothing was to be seen: it stands in done() by its MAC, or the order is a dry run.
    timeout: seconds until its report must have come. BoardError, with what was known as `known`.
    """
    job = Job(port, order, stop, lambda text, part: step(text, part * _BURNT))
    try:
        row, lines = job.burn(done)
    except BoardError as error:
        error.known = _as_reported(error.known)
        raise
    row = _as_reported(row)
    if lines is None:
        return row, None
    step("starting", _BURNT)
    try:
        with closing(lines), logs.of(row["mac"], port) as log:
            return row, booting.watch(lines, timeout, stop, step, log.line)
    except BoardError as error:
        told = booting.explained(error, port, stop)
        told.known = row | {"outcome": "failed"}
        raise told from None


def _as_reported(row: fleet.Row) -> fleet.Row:
    """The chip by the name that MicroPython has for it, as in a report of boards with a prompt."""
    return row | {"chip": row["chip"] and row["chip"].replace("-", "")}
