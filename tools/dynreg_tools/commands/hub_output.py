"""What the running hub prints, by a thread of its own: who stops reading does not stop the hub."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

KEPT = 10_000  # events that wait for a reader
_END_S, _TICK_S = 1.0, 0.02


class Output:
    """A context manager: `show` makes a line of an event, `gone` is called when nobody reads.

    Events for which there is no room are dropped, and an event "dropped" then says how many.
    """

    def __init__(self, show: Callable[[dict], str], gone: Callable[[], None]) -> None:
        self._show = show
        self._gone = gone
        self._queue: queue.Queue[dict | None] = queue.Queue(KEPT)
        self._dropped = 0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give a reader a moment to take what is left."""
        thread, deadline = self._thread, time.monotonic() + _END_S
        while thread and thread.is_alive() and time.monotonic() < deadline:
            if self._report_dropped() and self._take(None):
                thread.join(deadline - time.monotonic())
                return
            time.sleep(_TICK_S)

    def begin(self, first: str) -> None:
        """Print the first line, then all events, those that have come already too."""
        self._thread = threading.Thread(
            target=self._drain, args=(first,), name="hub output", daemon=True
        )
        self._thread.start()

    def put(self, event: dict) -> None:
        """Print an event as soon as there is a reader; from one thread at a time."""
        if not self._report_dropped() or not self._take(event):
            self._dropped += 1

    def _report_dropped(self) -> bool:
        """Whether all that was dropped is told."""
        if self._dropped:
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            if self._take({"event": "dropped", "at": at, "count": self._dropped}):
                self._dropped = 0
        return not self._dropped

    def _take(self, line: dict | None) -> bool:
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            return False
        return True

    def _drain(self, line: str) -> None:
        try:
            _write(line + "\n")
            while (event := self._queue.get()) is not None:
                _write(self._show(event) + "\n")
        except OSError:  # a broken pipe, a terminal that was closed
            self._gone()


def _write(text: str) -> None:
    """Past Python's own buffer: a thread that holds its lock for ever would hold up the exit."""
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # a file-like object, as a test has it
        sys.stdout.write(text)
        return
    data = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]
