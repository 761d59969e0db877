"""Several boards at once: each in a thread of its own, none waiting for another's failure."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol

from ..printable import tidy
from . import remedies
from .errors import BoardError

Row = dict[str, Any]
Step = Callable[[str, float], None]
Work = Callable[[str, threading.Event, Step], Row]
Due = Callable[[int], list[str] | None]


class Shown(Protocol):
    """What a person sees meanwhile; a with statement."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *exception: object) -> None: ...

    def step(self, port: str, text: str, part: float) -> None:
        """The board is at a step, and so far in all (0 to 1). From any thread."""

    def done(self, port: str, text: str) -> None:
        """The board's outcome."""


_POLL_S = 0.2  # Ctrl-C is seen between two waits, also on Windows


def run(ports: list[str], work: Work, jobs: int, bars: Shown, each: Callable[[Row], None]) -> None:
    """Calls work(port, stop, step) for every port, jobs at a time; see follow()."""
    waiting = deque(ports)

    def due(free: int) -> list[str] | None:
        return [waiting.popleft() for _ in range(min(free, len(waiting)))] if waiting else None

    follow(due, work, jobs, bars, each)


def follow(due: Due, work: Work, jobs: int, bars: Shown, each: Callable[[Row], None]) -> None:
    """Calls work(port, stop, step) for each port that due() names, jobs at a time.

    due: asked five times a second which ports to begin with, at most as many as jobs are free;
    None ends it. each: gets every board's row as it is done; one that raised BoardError has
    "error" (its code) and "message" (its sentence), and whatever has an error has "what_to_do"
    (the action). Ctrl-C sets stop, waits until every board has been left in good order, and raises
    KeyboardInterrupt.
    """
    stop = threading.Event()

    def one(port: str) -> Row:
        began = time.monotonic()
        try:
            row = work(port, stop, lambda text, part: bars.step(port, text, part))
        except BoardError as error:
            text = str(error).removeprefix(f"{port}: ")
            row = {"outcome": "failed", "error": error.code, "message": text}
            row.update(error.known)
        except Exception as error:  # a defect of ours must not hold up the other boards either
            text = f"{type(error).__name__}: {error} (a defect of dynreg)"
            row = {"outcome": "failed", "error": "internal", "message": text}
        if row.get("error"):
            row["what_to_do"] = remedies.what_to_do(row["error"])
        own = {"port": port, "seconds": round(time.monotonic() - began, 1)}
        return {"port": port} | tidy(row) | own

    with _stopped_by_ctrl_c(stop), bars, ThreadPoolExecutor(jobs) as pool:
        open_: set[Future[Row]] = set()
        ended = False
        try:
            while open_ or not ended:
                ports = None if ended or stop.is_set() else due(jobs - len(open_))
                ended = ports is None
                open_.update(pool.submit(one, port) for port in ports or ())
                for future in wait(open_, _POLL_S, FIRST_COMPLETED).done:
                    open_.remove(future)
                    row = future.result()
                    bars.done(row["port"], row.get("outcome") or "")
                    each(row)
                if not (open_ or ended):
                    time.sleep(_POLL_S)
        except BaseException:  # of each(): no board is to go on
            stop.set()
            raise
    if stop.is_set():
        raise KeyboardInterrupt


@contextmanager
def _stopped_by_ctrl_c(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C sets stop, and so never comes in the middle of a row that is being written."""
    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
