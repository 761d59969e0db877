"""Running: a board while it has power."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from .errors import BoardError
from .loop import Loop


class Power:
    """Of one board: what runs while it has power, and what was counted since it last came on."""

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._counted = (0, 0)

    @property
    def on(self) -> bool:
        return self._loop is not None

    def take(self, loop: Loop) -> None:
        """Raises BoardError where the board has power already."""
        if self._loop is not None:
            raise BoardError("the board is powered on already")
        self._loop = loop

    def release(self) -> None:
        self._counted = self.counted
        self._loop = None

    @property
    def counted(self) -> tuple[int, int]:
        """Flash writes and reads since the last power-on."""
        return self._counted if self._loop is None else self._loop.counted


class Running:
    """A board with power. Use it in a with statement; nothing is left behind after it."""

    def __init__(self, power: Power, make_loop: Callable[[], Loop]) -> None:
        self._power = power
        self._make_loop = make_loop
        self._on: Loop | None = None
        self._seen = 0  # where the next wait_for starts
        self.before_start: Callable[[], None] | None = None  # to get the first output too

    def __enter__(self) -> Running:
        if self._power.on:
            raise BoardError("the board is powered on already")
        loop = self._make_loop()
        try:
            loop.make_link()
        except OSError as error:
            loop.release()
            raise BoardError(f"the link to the port cannot be made: {error}") from error
        self._power.take(loop)
        self._on = loop
        if self.before_start:
            self.before_start()
        loop.start()
        return self

    def __exit__(self, *exception: object) -> None:
        loop = self._on
        if loop is None:
            return
        if loop.is_alive():
            loop.ask("stop")
        loop.join(10)
        self._power.release()
        loop.remove_link()

    @property
    def _loop(self) -> Loop:
        if self._on is None:
            raise BoardError("the board has no power yet: use it in a with statement")
        return self._on

    @property
    def port(self) -> str:
        """The pty to give to mpremote. The link `port` in the board's folder leads there too."""
        if self._loop.port is None:
            raise BoardError("the board's cable is out")
        return self._loop.port

    def unplug(self) -> None:
        """Pulls the cable: whoever has the port open loses it. The board keeps its power."""
        self._loop.ask("unplug")
        self._until(lambda loop: loop.port is None, 10, "the cable is still in")

    def plug_in(self) -> None:
        """Puts the cable back; the port is a new one, `port` in the board's folder leads there."""
        self._loop.ask("plug")
        self._until(lambda loop: loop.port is not None, 10, "the cable is still out")

    @property
    def output(self) -> str:
        """All serial output since power_on(), at most the last 4 MiB."""
        return self._loop.text()

    @property
    def flash_writes(self) -> int:
        return self._loop.relay.writes

    @property
    def flash_reads(self) -> int:
        """Reads of the flash since power-on, in calls of readblocks.

        Exact whenever boot.py and main.py have ended, and at each write; up to 999 behind else.
        """
        return self._loop.relay.reads

    @property
    def starts(self) -> int:
        """How often MicroPython has started since power_on(): 1 without any reset."""
        return self._loop.relay.starts

    @property
    def access_point(self) -> dict[str, Any] | None:
        """The board's own: ssid, key, security (3: WPA2), channel, and where this machine reaches
        it: http (URL), dns ([host, port]). None while it has none."""
        return self._loop.access_point

    @property
    def pid(self) -> int:
        """The MicroPython process's id, another one after each restart; 0 between."""
        return self._loop.pid

    @property
    def failure(self) -> str | None:
        """Why the board is dead, when it is."""
        return self._loop.relay.error

    @property
    def power_lost(self) -> bool:
        """The power cut that was asked for has come."""
        return self._loop.relay.state == "cut"

    @property
    def state(self) -> str:
        """boot, banner, raw (on the way to a prompt), up, exit, sleep, cut or dead."""
        return self._loop.relay.state

    def wait_change(self, timeout: float) -> None:
        """Returns when the board did or printed something, at the latest after timeout seconds."""
        with self._loop.changed:
            self._loop.changed.wait(timeout)

    @property
    def main_status(self) -> str | None:
        """How boot.py and main.py ended at the last start: ok, error (a traceback), exit
        (sys.exit), None while they run."""
        return self._loop.relay.main_status

    @property
    def first_end(self) -> str | None:
        """main_status of the first start since power_on(), kept when the board restarts."""
        return self._loop.relay.first_end

    def write(self, data: bytes | str) -> None:
        """Types on the serial line, as a terminal would."""
        self._loop.ask("type", data.encode() if isinstance(data, str) else bytes(data))

    def reset(self) -> None:
        """The EN button: a hard reset. RTC, flash and the counts of writes and reads are kept."""
        self._restart("reset")

    def power_cycle(self, power_cut: int | None = None) -> None:
        """Power off and on: the RTC is lost, writes and reads are counted from 0 again."""
        self._restart("cycle", power_cut)

    def _restart(self, *request: Any) -> None:
        before = self._loop.relay.starts
        with self._loop.changed:
            self._seen = len(self._loop.log)
        self._loop.ask(*request)
        self._until(lambda loop: loop.relay.starts > before, 10, "the board did not restart")

    def on_output(self, callback: Callable[[str], None]) -> None:
        """Calls callback(text) for each piece of serial output from now on, in a thread."""
        with self._loop.changed:
            self._loop.callbacks.append(callback)

    def wait_for(self, pattern: str | re.Pattern, timeout: float = 10) -> re.Match:
        """Waits for text (str: literally) after what the last wait_for found; its match.

        Raises TimeoutError, with the last output, after timeout seconds, and BoardError when the
        board can no longer say it.
        """
        compiled = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        found: list[re.Match] = []

        def look(loop: Loop) -> bool:
            match = compiled.search(loop.log.decode("latin-1"), self._seen)
            if match:
                found.append(match)
            return bool(match)

        self._until(look, timeout, f"the board did not say {compiled.pattern!r}")
        self._seen = found[0].end()
        return found[0]

    def wait_repl(self, timeout: float = 10) -> None:
        """Waits until boot.py and main.py have ended and a prompt stands there."""
        self._until(lambda loop: loop.relay.state == "up", timeout, "the board reached no prompt")

    wait_idle = wait_repl

    def wait_power_lost(self, timeout: float = 10) -> None:
        """Waits for the power cut that was asked for."""
        self._until(lambda loop: loop.relay.state == "cut", timeout, "power was not lost")

    def _until(self, done: Callable[[Loop], bool], timeout: float, complaint: str) -> None:
        deadline = time.monotonic() + timeout
        loop = self._loop
        with loop.changed:
            while not done(loop):
                if loop.relay.state == "dead":
                    raise BoardError(loop.relay.error or "the board is dead")
                left = deadline - time.monotonic()
                if left <= 0:
                    tail = loop.log[-800:].decode("utf-8", "replace")
                    raise TimeoutError(f"{complaint} within {timeout} s; its output:\n{tail}")
                loop.changed.wait(min(left, 1))
