"""A local hub in a process of its own, as `dynreg hub` runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self, TextIO
from urllib.request import Request, urlopen

from ..errors import ToolError

_END_S = 10.0


class HubProcess:
    """A context manager. `ready` is the hub's first line: URLs, the CA's files, the product.

    After its end it may be entered again, with the same data.
    """

    def __init__(self, data: Path, *options: str) -> None:
        self.ready: dict[str, Any] = {}
        self._command = [sys.executable, "-m", "dynreg_tools", "hub", "--data", str(data)]
        self._command += ["--cert-key", "ec", "--strict", *options]
        self._log = data.with_suffix(".log")

    def __enter__(self) -> Self:
        self._errors = self._log.open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            errors="replace",
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.stdout.close()
            self.__exit__()
            raise ToolError(f"the hub did not start: {self._log.read_text('utf-8').strip()}")
        self.ready = json.loads(line)
        threading.Thread(target=self._drain, args=(self._process.stdout,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._errors.close()

    def kill(self) -> None:
        """Ends it as a lost power does: at once, whatever it was about."""
        self._process.kill()
        self._process.wait()

    @staticmethod
    def _drain(events: TextIO) -> None:
        """Reads the hub's events, which else fill the pipe until the hub waits."""
        with events:
            for _ in events:
                pass

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """What a path of the HTTP interface (docs/hub.md) answers."""
        request = Request(self.ready["control"] + path, method=method)
        with urlopen(request, timeout=_END_S) as reply:
            return json.load(reply)

    def fault(self, name: str, query: str = "") -> dict[str, Any]:
        """Switches a fault on by the control port; query: "arg=5&times=3" (docs/faults.md)."""
        return self.ask("PUT", f"/faults/{name}?{query}")["on"]
