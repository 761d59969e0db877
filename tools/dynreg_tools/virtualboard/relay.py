"""Between the user's port and MicroPython: what an ESP32 does at each kind of reset.

One thread per board that is powered on. It restarts the MicroPython process the way an ESP32
restarts, keeps what an ESP32 keeps (clock, watchdog, Wi-Fi), and knows when power is lost.
"""

import json
import os
import secrets
import select
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .output import FRIENDLY_PROMPT, MACHINE, RAW_PROMPT, Output
from .process import Process
from .serialport import SerialPort

__all__ = ["MACHINE", "Relay"]

PWRON, HARD, WDT, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5
EPOCH_NS = 946684800 * 10**9

_RESET_LINES = {
    PWRON: "rst:0x1 (POWERON_RESET)",
    HARD: "rst:0xc (SW_CPU_RESET)",
    WDT: "rst:0x8 (TG1WDT_SYS_RESET)",
    DEEPSLEEP: "rst:0x5 (DEEPSLEEP_RESET)",
}
_MAX_LOG = 4 << 20  # bytes of serial output kept
_MAX_FALSE_STARTS = 3
_CTRL_C = 3
_NEVER = 1e9
_WIFI_OFF = {"active": False, "ssid": None, "key": None, "kept": False}


class Relay(threading.Thread):
    """Runs one power-on. settings are what firmware/_boot.py reads, without the volatile part."""

    def __init__(self, command: list[str], settings: dict[str, Any]) -> None:
        super().__init__(name="virtualboard", daemon=True)
        self._command = command
        self._settings = settings
        self.changed = threading.Condition()
        self.log = bytearray()
        self.callbacks: list[Callable[[str], None]] = []
        self.writes = 0  # flash operations since power-on
        self.reads = 0  # of the flash, as far as it has been told
        self.starts = 0
        self.state = "off"  # off, boot, banner, raw, up, exit, sleep, cut, dead
        self.main_status: str | None = None  # ok, error, exit; None while programs run
        self.first_end: str | None = None  # the same of the first start, for ever
        self.error: str | None = None
        self._cut_at: int | None = settings["cut"]
        self._rtc_ns = EPOCH_NS - time.time_ns()
        self._wifi = _WIFI_OFF
        self._wdt_ms = 0
        self._wdt_at = self._wake_at = _NEVER
        self._false_starts = 0
        self._raw = False  # which prompt the board is at or will come to
        self._programs = False  # boot.py has begun: Ctrl-C may come in
        self._tail = b""
        self._input = bytearray()  # typed, not yet looked at
        self._ending = b""  # the message that ends this MicroPython, not yet acted on
        self._process: Process | None = None
        self._output = Output("")
        self._requests: list[tuple] = []
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        self._port = SerialPort()
        self.port: str | None = self._port.name  # None while the cable is out
        self._link = Path(settings["link"])

    def make_link(self) -> None:
        """Makes the link that leads to the port, whatever its name is this time. OSError."""
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._port.name)

    def remove_link(self) -> None:
        self._link.unlink(missing_ok=True)

    # ---- called from other threads

    def ask(self, *request: Any) -> None:
        """Queues "reset", "cycle" with a power cut, "type" with data, "unplug", "plug", "stop"."""
        with self.changed:
            self._requests.append(request)
            if self._wake_w >= 0:
                os.write(self._wake_w, b"x")

    def text(self) -> str:
        with self.changed:
            return self.log.decode("utf-8", "replace")

    @property
    def pid(self) -> int:
        """The process id of the MicroPython that runs; 0 while none does."""
        process = self._process
        return process.pid if process else 0

    def release(self) -> None:
        """Closes the port; the thread does it at its end, who never starts the thread must."""
        self._port.close()
        with self.changed:
            os.close(self._wake_r)
            os.close(self._wake_w)
            self._wake_r = self._wake_w = -1
            self.changed.notify_all()

    # ---- the thread

    def run(self) -> None:
        try:
            self._boot(PWRON)
            while self._run_once():
                pass
        except Exception as error:  # the thread's error must reach the user
            self.error = f"{type(error).__name__}: {error}"
            self._set_state("dead")
        finally:
            self._close_process()
            self.release()

    def _run_once(self) -> bool:
        """One round of the loop; False when asked to stop."""
        poller = select.poll()
        poller.register(self._wake_r, select.POLLIN)
        wait = min(60, self._port.watch(poller))
        wait = min(wait, min(self._wdt_at, self._wake_at) - time.monotonic())
        if self._output and self.state == "up":
            wait = min(wait, 0.005)  # a piece that looks like the beginning of a mark
        process = self._process
        if process:
            process.watch(poller)
        ready = dict(poller.poll(max(0, wait) * 1000))
        if self._wake_r in ready:
            os.read(self._wake_r, 4096)
        if process and process.channel.fileno() in ready:
            self._read_messages()
        if process and process.terminal in ready:
            self._read_board(process)
        elif self._output and self.state == "up":
            self._pass_on(flush=True)
        if self._port.fd in ready:
            typed = self._port.serve(ready[self._port.fd])
            if self.state not in ("cut", "sleep", "dead"):
                self._input += typed
        self._feed_board()
        if self._ending:
            self._act_on_ending()
        if time.monotonic() >= self._wdt_at:
            self._kill()
            self._boot(WDT)
        if time.monotonic() >= self._wake_at:
            self._boot(DEEPSLEEP)
        return self._do_requests()

    def _do_requests(self) -> bool:
        with self.changed:
            requests, self._requests = self._requests, []
        for what, *rest in requests:
            if what == "stop":
                return False
            if what == "type":
                self._input += rest[0]
                self._feed_board()
                continue
            if what in ("unplug", "plug"):
                self._cable(what == "plug")
                continue
            self._kill()
            if what == "cycle":
                self._rtc_ns = EPOCH_NS - time.time_ns()
                self.writes = self.reads = 0
                self._cut_at = rest[0]
            self._boot(PWRON)  # what an ESP32 reports after its EN button too
        return True

    def _cable(self, plugged: bool) -> None:
        """The USB cable out or in: whoever has the port open is hung up on, the next is new."""
        self._link.unlink(missing_ok=True)  # first: the system may give the name to another
        self._port.close()
        with self.changed:
            if plugged:
                self._port = SerialPort()
                self.make_link()
            self.port = self._port.name if plugged else None
            self.changed.notify_all()

    # ---- starting and ending MicroPython

    def _boot(self, cause: int) -> None:
        self._tail = b"" if cause != SOFT else self._tail
        if cause != SOFT:
            self._wdt_at, self._wdt_ms, self._wake_at = _NEVER, 0, _NEVER
            self._wifi = _WIFI_OFF
            self._emit(f"ets Jul 29 2019 12:21:46\r\n\r\n{_RESET_LINES[cause]}\r\n".encode())
            self._raw = False
            self._port.discard_input()
            self._input.clear()
        token = "vb" + secrets.token_hex(6)
        self._output = Output(token)
        self._ending = b""
        self._programs = False
        config = {
            "cause": cause,
            "raw": self._raw,
            "rtc_ns": self._rtc_ns,
            "writes": self.writes,
            "cut": self._cut_at,
            "wifi_state": self._wifi,
            "token": token,
        }
        self._process = Process(self._command, self._settings | config)
        self.starts += 1
        self.main_status = None
        self._set_state("boot")

    def _close_process(self) -> None:
        if self._process:
            self._process.close()
            self._process = None

    def _kill(self) -> None:
        """Ends MicroPython at once; its output so far is passed on."""
        if self._process:
            self._process.kill()
            self._drain(self._process)
            self._close_process()

    def _drain(self, process: Process) -> None:
        deadline = time.monotonic() + 1
        poller = select.poll()
        poller.register(process.terminal, select.POLLIN)
        while time.monotonic() < deadline and poller.poll(3):
            if not self._read_board(process):
                break
        self._pass_on(flush=True)

    def _exited(self) -> None:
        """MicroPython ended by itself: Ctrl-D, sys.exit(), machine.soft_reset() or a crash."""
        process = self._process
        if process is None:
            return
        self._drain(process)
        code = process.wait()
        self._close_process()
        self._false_starts = 0 if self._programs else self._false_starts + 1
        if self._false_starts >= _MAX_FALSE_STARTS:
            self.error = "MicroPython does not start: " + self.text()[-300:].strip()
            self._set_state("dead")
        elif code < 0 and code != -signal.SIGINT:
            panic = f"Guru Meditation Error: MicroPython died of signal {-code}"
            self._emit(f"\r\n{panic}\r\n".encode())
            self._boot(HARD)
        else:
            self._emit(b"MPY: soft reboot\r\n")
            self._boot(SOFT)

    # ---- from MicroPython

    def _read_messages(self) -> None:
        """Reads all messages of MicroPython; what ends it is left for _act_on_ending."""
        if self._process is None or self._ending:
            return
        messages, closed = self._process.messages()
        for message in messages:
            self._handle_message(message[:1], message[1:])
        if closed and not self._ending:
            self._ending = b"exit"

    def _handle_message(self, kind: bytes, rest: bytes) -> None:
        if kind == b"w":
            self.writes += 1
        elif kind == b"r":
            self.reads += int(rest)
        elif kind == b"S":
            self._programs = True
        elif kind == b"T":
            self._rtc_ns = int(rest)
        elif kind == b"N":
            self._wifi = json.loads(rest) | {"kept": True}
        elif kind == b"W":
            self._wdt_ms = int(rest)
            self._wdt_at = time.monotonic() + self._wdt_ms / 1000
        elif kind == b"F" and self._wdt_ms:
            self._wdt_at = time.monotonic() + self._wdt_ms / 1000
        elif kind in (b"R", b"D", b"C"):
            self._ending = kind + rest

    def _act_on_ending(self) -> None:
        """Does what MicroPython's last message asks for."""
        kind, rest = self._ending[:1], self._ending[1:]
        if self._ending == b"exit":
            self._exited()
            return
        self._kill()
        self._ending = b""
        if kind == b"R":
            self._boot(HARD)
            return
        self._wdt_at = _NEVER
        if kind == b"D" and int(rest):
            self._wake_at = time.monotonic() + int(rest) / 1000
        if kind == b"C" and self._settings["cable"]:
            self._cable(False)
        self._set_state("cut" if kind == b"C" else "sleep")

    def _read_board(self, process: Process) -> bool:
        data = process.read()
        if data:
            self._output.add(data)
            self._pass_on()
        return data is not None

    def _pass_on(self, flush: bool = False) -> None:
        """Lets output through, taking out what only the unix port prints."""
        output = self._output
        while (found := output.next_mark()) is not None:
            text, word = found
            self._emit(text)
            if word not in "+-":
                self._read_messages()  # those sent before the mark come before the state it brings
                status, machine = word.split(" ", 1)
                output.name_machine(machine)
                with self.changed:
                    self.main_status = status
                    self.first_end = self.first_end or status
                self._set_state("exit" if status == "exit" else "banner")
        if self.state == "banner":
            if not output.at_prompt():
                return
            if self._raw and self._process:
                output.drop_through(FRIENDLY_PROMPT)
                self._process.write(b"\x01")
            self._set_state("raw" if self._raw else "up")
        if self.state == "raw":
            if not output.drop_through(RAW_PROMPT, keep=RAW_PROMPT):
                return
            self._set_state("up")
        self._emit(output.take(flush))

    def _emit(self, data: bytes) -> None:
        """One piece of serial output, to the log, the callbacks and the port."""
        if not data:
            return
        seen = self._tail + data
        raw, friendly = seen.rfind(RAW_PROMPT), seen.rfind(FRIENDLY_PROMPT)
        if raw != friendly:
            self._raw = raw > friendly
        self._tail = seen[-60:]
        with self.changed:
            self.log += data
            del self.log[: max(0, len(self.log) - _MAX_LOG)]
            self.changed.notify_all()
            callbacks = list(self.callbacks)
        for callback in callbacks:
            callback(data.decode("utf-8", "replace"))
        self._port.send(data)

    def _set_state(self, state: str) -> None:
        with self.changed:
            self.state = state
            self.changed.notify_all()

    # ---- to MicroPython

    def _feed_board(self) -> None:
        """Passes typed bytes on; Ctrl-C becomes an interrupt while a program runs."""
        process = self._process
        if process is None:
            return
        open_to_input = self.state == "up" or (self.state == "boot" and self._programs)
        while open_to_input and self._input:
            at = self._input.find(_CTRL_C)
            size = at if at > 0 else 1 if at == 0 else len(self._input)
            data = bytes(self._input[:size])
            del self._input[:size]
            if at == 0:
                process.interrupt()
            else:
                process.write(data)
        process.write()
