"""The link: the client's namespace and the hub's, and the forwarder between them."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from .namespace import Namespace

CLIENT, HUB = "192.0.2.1", "192.0.2.2"  # RFC 5737: addresses of nobody
_TOOLS = Path(__file__).resolve().parents[2]  # from where Python finds this package


class Link:
    """A context manager; `client` and `hub` are its two ends' Namespaces. NoLink."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.client = stack.enter_context(Namespace(CLIENT, HUB))
            self.hub = stack.enter_context(Namespace(HUB, CLIENT))
            devices = (self.client.device, self.hub.device)
            self._forwarder = subprocess.Popen(
                [sys.executable, "-m", "dynreg_tools.bench.forwarder", *map(str, devices)],
                cwd=_TOOLS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                pass_fds=devices,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
            assert self._forwarder.stdin is not None
            assert self._forwarder.stdout is not None
            self._to, self._from = self._forwarder.stdin, self._forwarder.stdout
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _end(self) -> None:
        self._to.close()
        self._forwarder.wait()
        self._from.close()

    def use(self, rtt_ms: float, loss: float = 0, seed: int = 0) -> None:
        """This round trip in milliseconds, this chance of loss; forgets what was noted."""
        self._ask({"rtt_ms": rtt_ms, "loss": loss, "seed": seed})

    def noted(self) -> list[list]:
        """Every packet since use(), as forwarder.py says."""
        return self._ask({"noted": True})

    def _ask(self, command: dict) -> Any:
        self._to.write(json.dumps(command) + "\n")
        self._to.flush()
        return json.loads(self._from.readline())
