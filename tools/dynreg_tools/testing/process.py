"""A local hub in a process of its own, as `dynreg hub` runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

from ..errors import ToolError

_END_S = 10.0


class HubProcess:
    """A context manager. `ready` is the hub's first line: URLs, the CA's files, the product."""

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
            self.__exit__()
            raise ToolError(f"the hub did not start: {self._log.read_text('utf-8').strip()}")
        self.ready = json.loads(line)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._errors.close()

    def fault(self, name: str, query: str = "") -> dict[str, Any]:
        """Switches a fault on by the control port; query: "arg=5&times=3" (docs/faults.md)."""
        url = f"{self.ready['control']}/faults/{name}?{query}"
        with urlopen(Request(url, method="PUT"), timeout=_END_S) as reply:
            return json.load(reply)["on"]
