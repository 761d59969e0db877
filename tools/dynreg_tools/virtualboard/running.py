"""Running: a board while it has power."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import BoardError
from .relay import Relay


@dataclass
class Power:
    """Of one board: the relay while it has power, and what was counted since it last came on."""

    relay: Relay | None = None
    writes: int = 0
    reads: int = 0


class Running:
    """A board with power. Use it in a with statement; nothing is left behind after it."""

    def __init__(self, power: Power, make_relay: Callable[[], Relay]) -> None:
        self._power = power
        self._make_relay = make_relay
        self._on: Relay | None = None
        self._seen = 0  # where the next wait_for starts
        self.before_start: Callable[[], None] | None = None  # to get the first output too

    def __enter__(self) -> Running:
        if self._power.relay is not None:
            raise BoardError("the board is powered on already")
        relay = self._make_relay()
        try:
            relay.make_link()
        except OSError as error:
            relay.release()
            raise BoardError(f"the link to the port cannot be made: {error}") from error
        self._on = self._power.relay = relay
        if self.before_start:
            self.before_start()
        relay.start()
        return self

    def __exit__(self, *exception: object) -> None:
        relay = self._on
        if relay is None:
            return
        if relay.is_alive():
            relay.ask("stop")
        relay.join(10)
        self._power.writes, self._power.reads = relay.writes, relay.reads
        self._power.relay = None
        relay.remove_link()

    @property
    def _relay(self) -> Relay:
        if self._on is None:
            raise BoardError("the board has no power yet: use it in a with statement")
        return self._on

    @property
    def port(self) -> str:
        """The pty to give to mpremote. The link `port` in the board's folder leads there too."""
        if self._relay.port is None:
            raise BoardError("the board's cable is out")
        return self._relay.port

    def unplug(self) -> None:
        """Pulls the cable: whoever has the port open loses it. The board keeps its power."""
        self._relay.ask("unplug")
        self._until(lambda relay: relay.port is None, 10, "the cable is still in")

    def plug_in(self) -> None:
        """Puts the cable back; the port is a new one, `port` in the board's folder leads there."""
        self._relay.ask("plug")
        self._until(lambda relay: relay.port is not None, 10, "the cable is still out")

    @property
    def output(self) -> str:
        """All serial output since power_on(), at most the last 4 MiB."""
        return self._relay.text()

    @property
    def flash_writes(self) -> int:
        return self._relay.writes

    @property
    def flash_reads(self) -> int:
        """Reads of the flash since power-on, in calls of readblocks.

        Exact whenever boot.py and main.py have ended, and at each write; up to 999 behind else.
        """
        return self._relay.reads

    @property
    def starts(self) -> int:
        """How often MicroPython has started since power_on(): 1 without any reset."""
        return self._relay.starts

    @property
    def pid(self) -> int:
        """The MicroPython process's id, another one after each restart; 0 between."""
        return self._relay.pid

    @property
    def failure(self) -> str | None:
        """Why the board is dead, when it is."""
        return self._relay.error

    @property
    def power_lost(self) -> bool:
        """The power cut that was asked for has come."""
        return self._relay.state == "cut"

    @property
    def state(self) -> str:
        """boot, banner, raw (on the way to a prompt), up, exit, sleep, cut or dead."""
        return self._relay.state

    def wait_change(self, timeout: float) -> None:
        """Returns when the board did or printed something, at the latest after timeout seconds."""
        with self._relay.changed:
            self._relay.changed.wait(timeout)

    @property
    def main_status(self) -> str | None:
        """How boot.py and main.py ended at the last start: ok, error (a traceback), exit
        (sys.exit), None while they run."""
        return self._relay.main_status

    @property
    def first_end(self) -> str | None:
        """main_status of the first start since power_on(), kept when the board restarts."""
        return self._relay.first_end

    def write(self, data: bytes | str) -> None:
        """Types on the serial line, as a terminal would."""
        self._relay.ask("type", data.encode() if isinstance(data, str) else bytes(data))

    def reset(self) -> None:
        """The EN button: a hard reset. RTC, flash and the counts of writes and reads are kept."""
        self._restart("reset")

    def power_cycle(self, power_cut: int | None = None) -> None:
        """Power off and on: the RTC is lost, writes and reads are counted from 0 again."""
        self._restart("cycle", power_cut)

    def _restart(self, *request: Any) -> None:
        before = self._relay.starts
        with self._relay.changed:
            self._seen = len(self._relay.log)
        self._relay.ask(*request)
        self._until(lambda relay: relay.starts > before, 10, "the board did not restart")

    def on_output(self, callback: Callable[[str], None]) -> None:
        """Calls callback(text) for each piece of serial output from now on, in a thread."""
        with self._relay.changed:
            self._relay.callbacks.append(callback)

    def wait_for(self, pattern: str | re.Pattern, timeout: float = 10) -> re.Match:
        """Waits for text (str: literally) after what the last wait_for found; its match.

        Raises TimeoutError, with the last output, after timeout seconds, and BoardError when the
        board can no longer say it.
        """
        compiled = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        found: list[re.Match] = []

        def look(relay: Relay) -> bool:
            match = compiled.search(relay.log.decode("latin-1"), self._seen)
            if match:
                found.append(match)
            return bool(match)

        self._until(look, timeout, f"the board did not say {compiled.pattern!r}")
        self._seen = found[0].end()
        return found[0]

    def wait_repl(self, timeout: float = 10) -> None:
        """Waits until boot.py and main.py have ended and a prompt stands there."""
        self._until(lambda relay: relay.state == "up", timeout, "the board reached no prompt")

    wait_idle = wait_repl

    def wait_power_lost(self, timeout: float = 10) -> None:
        """Waits for the power cut that was asked for."""
        self._until(lambda relay: relay.state == "cut", timeout, "power was not lost")

    def _until(self, done: Callable[[Relay], bool], timeout: float, complaint: str) -> None:
        deadline = time.monotonic() + timeout
        relay = self._relay
        with relay.changed:
            while not done(relay):
                if relay.state == "dead":
                    raise BoardError(relay.error or "the board is dead")
                left = deadline - time.monotonic()
                if left <= 0:
                    tail = relay.log[-800:].decode("utf-8", "replace")
                    raise TimeoutError(f"{complaint} within {timeout} s; its output:\n{tail}")
                relay.changed.wait(min(left, 1))
