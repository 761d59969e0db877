"""A log file for each board, beside the report: what the board printed, and when (UTC).

Kept for its owner alone, without secrets (redaction.py), and bounded.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from .. import files
from ..printable import clean

LIMIT = 128 << 10  # bytes; a file that has so many becomes MAC.old.log, in the place of the last
_LONGEST = 8192  # characters of a line


class Logs:
    """The logs of a batch: FILE.logs/MAC.log beside FILE.csv; none without a report."""

    def __init__(self, report: Path | None, redact: Callable[[str], str]) -> None:
        self.folder = report.with_suffix(".logs") if report else None
        self._redact = redact

    def of(self, mac: str, port: str) -> Log:
        """The log of one board, for a with statement."""
        name = re.sub(r"[^0-9a-f]", "", mac.lower())[:32]
        path = self.folder / f"{name}.log" if self.folder and name else None
        return Log(path, self._redact, f"-- {port}  {mac}")


class Log:
    """line() adds one. A disk that is full, or a folder that cannot be written, ends the log and
    never the board's work."""

    def __init__(self, path: Path | None, redact: Callable[[str], str], head: str) -> None:
        self._path, self._redact, self._head = path, redact, head
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Log:
        if self._path is not None:
            with suppress(OSError):
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._open(self._path)
        self.line(self._head)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if error is not None:
            self.line(f"-- {getattr(error, 'code', kind and kind.__name__)}: {error}")
        self._close()

    def line(self, text: str) -> None:
        """A line of the board's, as it is but for secrets and what a terminal would act on."""
        if self._file is None or self._path is None:
            return
        now = time.time()
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        data = f"{when} {clean(self._redact(text), _LONGEST)}\n".encode()
        try:
            if self._file.tell() + len(data) > LIMIT:
                self._file.close()
                os.replace(self._path, self._path.with_suffix(".old.log"))
                self._open(self._path)
            self._file.write(data)
        except OSError:
            self._close()

    def _open(self, path: Path) -> None:
        files.narrow(path)
        self._file = open(path, "ab", buffering=0, opener=files.private_opener)  # noqa: SIM115

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
