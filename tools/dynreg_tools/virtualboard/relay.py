"""Between the user's port and MicroPython: what an ESP32 does at each kind of reset.

A state machine: events in, actions out. It opens nothing, waits for nothing, asks no clock. What
comes from port, terminal and channel, and the performing of the actions, is loop.py's. Times are
seconds of a monotonic clock, host_ns is Unix time.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from . import output as uart
from .actions import Action, End, Forget, Show, Start, Type, Unplug
from .keys import Keys
from .output import Output, Prompt

EPOCH_NS = 946684800 * 10**9
NEVER = 1e9
ENDINGS = (b"R", b"D", b"C")  # messages: reset, deep sleep, power cut
INTERRUPTED = -2  # the exit code of a process that SIGINT ended
_MAX_FALSE_STARTS = 3
_WIFI_OFF = {"active": False, "ssid": None, "key": None, "kept": False, "point": {}}


class Relay:
    """A board that has power. Each event returns the actions that it leads to.

    cable: the power comes by the port's cable, which is lost with it. token: makes what tells
    a start's marks in the output from a program's own output.
    """

    def __init__(self, cable: bool, token: Callable[[], str]) -> None:
        self.writes = 0  # flash operations since power-on
        self.reads = 0  # of the flash, as far as it has been told
        self.starts = 0
        self.state = "off"  # off, boot, banner, raw, up, exit, sleep, cut, dead
        self.main_status: str | None = None  # ok, error, exit; None while programs run
        self.first_end: str | None = None  # the same of the first start, for ever
        self.error: str | None = None
        self._cut: int | None = None
        self._cable = cable
        self._token = token
        self._rtc_ns = 0
        self.wifi: dict[str, Any] = _WIFI_OFF  # of the radio
        self._wdt_s = 0.0
        self._wdt_at = self._wake_at = NEVER
        self._false_starts = 0
        self._runs = False  # there is a MicroPython
        self._programs = False  # boot.py has begun: Ctrl-C may come in
        self._ending: Callable[[], None] | None = None  # what follows once MicroPython is gone
        self._prompt = Prompt()
        self._keys = Keys()
        self._output = Output("")
        self._actions: list[Action] = []

    @property
    def deadline(self) -> float:
        """When timer() is due; NEVER or later for not at all."""
        return min(self._wdt_at, self._wake_at)

    @property
    def holds_back(self) -> bool:
        """Output waits for the rest of what may be a mark; quiet() is due when none comes."""
        return bool(self._output) and self.state == "up"

    # ---- events

    def power_on(self, cut: int | None, host_ns: int) -> list[Action]:
        """Power, off before or not: the clock is lost, writes and reads are counted anew.

        cut: the flash write at which it is lost again.
        """
        return self._end(partial(self._switch_on, cut, host_ns))

    def reset(self) -> list[Action]:
        """The EN button, which an ESP32 reports as a power-on."""
        return self._end(partial(self._boot, uart.PWRON))

    def typed(self, data: bytes) -> list[Action]:
        """Bytes came in on the port; without power they are lost."""
        if self.state not in ("cut", "sleep", "dead"):
            self._keys.add(data)
        return self._out()

    def printed(self, data: bytes) -> list[Action]:
        """MicroPython wrote to its terminal."""
        self._output.add(data)
        self._pass_on()
        return self._out()

    def quiet(self) -> list[Action]:
        """MicroPython has written nothing for a moment."""
        self._pass_on(flush=True)
        return self._out()

    def message(self, text: bytes, now: float) -> list[Action]:
        """One message of the firmware's modules, see firmware/_board.py."""
        kind, rest = text[:1], text[1:]
        if kind == b"w":
            self.writes += 1
        elif kind == b"r":
            self.reads += int(rest)
        elif kind == b"S":
            self._programs = True
            self._keys.interrupt_by(rest)
        elif kind == b"T":
            self._rtc_ns = int(rest)
        elif kind == b"N":
            self.wifi = json.loads(rest) | {"kept": True}
        elif kind == b"W":
            self._wdt_s = int(rest) / 1000
            self._wdt_at = now + self._wdt_s
        elif kind == b"F" and self._wdt_s:
            self._wdt_at = now + self._wdt_s
        elif self._ending is None:
            if kind == b"R":
                return self._end(partial(self._boot, uart.HARD))
            if kind == b"D":
                wake_at = now + int(rest) / 1000 if int(rest) else NEVER
                return self._end(partial(self._sleep, wake_at))
            if kind == b"C":
                return self._end(self._lose_power)
        return self._out()

    def closed(self) -> list[Action]:
        """MicroPython closed its channel: Ctrl-D, sys.exit(), soft_reset() or a crash ends it."""
        self._actions.append(End(kill=False))
        return self._out()

    def gone(self, code: int) -> list[Action]:
        """MicroPython is no more, its output has been read. code: below 0 for a signal."""
        self._runs = False
        self._pass_on(flush=True)
        then, self._ending = self._ending, None
        if then:
            then()
            return self._out()
        self._false_starts = 0 if self._programs else self._false_starts + 1
        if self._false_starts >= _MAX_FALSE_STARTS:
            self.fail("MicroPython does not start: " + self._prompt.last_text)
        elif code < 0 and code != INTERRUPTED:
            self._show(uart.panic(-code))
            self._boot(uart.HARD)
        else:
            self._show(b"MPY: soft reboot\r\n")
            self._boot(uart.SOFT)
        return self._out()

    def timer(self, now: float) -> list[Action]:
        """Whatever is due by now: the watchdog, or the end of a deep sleep."""
        if now >= self._wdt_at:
            return self._end(partial(self._boot, uart.WDT))
        if now >= self._wake_at:
            return self._end(partial(self._boot, uart.DEEPSLEEP))
        return []

    def fail(self, why: str) -> None:
        self.error = why
        self.state = "dead"

    # ---- what they lead to

    def _out(self) -> list[Action]:
        """The actions so far, with what can be typed; Ctrl-C interrupts while a program runs."""
        open_to_input = self.state == "up" or (self.state == "boot" and self._programs)
        if self._runs and not self._ending and open_to_input:
            self._actions += self._keys.take()
        actions, self._actions = self._actions, []
        return actions

    def _end(self, then: Callable[[], None]) -> list[Action]:
        if self._runs:
            self._ending = then
            self._actions.append(End(kill=True))
        else:
            then()
        return self._out()

    def _boot(self, cause: int) -> None:
        if cause != uart.SOFT:
            self._wdt_at, self._wdt_s, self._wake_at = NEVER, 0.0, NEVER
            self.wifi = _WIFI_OFF
            self._show(uart.reset_lines(cause))
            self._prompt = Prompt()
            self._actions.append(Forget())
            self._keys.clear()
        token = self._token()
        self._output = Output(token)
        self._programs = False
        self._keys.interrupt_by(b"")
        config = {
            "cause": cause,
            "raw": self._prompt.raw,
            "rtc_ns": self._rtc_ns,
            "writes": self.writes,
            "cut": self._cut,
            "wifi_state": self.wifi,
            "token": token,
        }
        self._actions.append(Start(config))
        self._runs = True
        self.starts += 1
        self.main_status = None
        self.state = "boot"

    def _switch_on(self, cut: int | None, host_ns: int) -> None:
        self._rtc_ns = EPOCH_NS - host_ns
        self.writes = self.reads = 0
        self._cut = cut
        self._boot(uart.PWRON)

    def _sleep(self, wake_at: float) -> None:
        self._wdt_at, self._wake_at = NEVER, wake_at
        self.state = "sleep"

    def _lose_power(self) -> None:
        self._wdt_at = NEVER
        if self._cable:
            self._actions.append(Unplug())
        self.state = "cut"

    def _pass_on(self, flush: bool = False) -> None:
        """Lets output through, taking out what only the unix port prints."""
        output = self._output
        while (found := output.next_mark()) is not None:
            text, word = found
            self._show(text)
            if word not in "+-":
                self.main_status, machine = word.split(" ", 1)
                output.name_machine(machine)
                self.first_end = self.first_end or self.main_status
                self.state = "exit" if self.main_status == "exit" else "banner"
        if self.state == "banner":
            if not output.at_prompt():
                return
            if self._prompt.raw and self._runs:
                output.drop_through(uart.FRIENDLY_PROMPT)
                self._actions.append(Type(b"\x01"))
            self.state = "raw" if self._prompt.raw else "up"
        if self.state == "raw":
            if not output.drop_through(uart.RAW_PROMPT, keep=uart.RAW_PROMPT):
                return
            self.state = "up"
        self._show(output.take(flush))

    def _show(self, data: bytes) -> None:
        if data:
            self._prompt.printed(data)
            self._actions.append(Show(data))
