"""The relay's I/O: one thread per board that is powered on.

It waits for the user's port, MicroPython's terminal and channel, the relay's deadlines and other
threads, tells the relay of each, and does what that wants done.
"""

import os
import secrets
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .actions import Action, End, Forget, Interrupt, Show, Start, Type, Unplug
from .process import Process
from .relay import ENDINGS, Relay
from .serialport import SerialPort

_MAX_LOG = 4 << 20  # bytes of serial output kept
_HELD_S = 0.005  # how long output that may be the beginning of a mark waits for the rest
_DRAIN_S = 1  # how long the output of a MicroPython that has ended is read
_PAUSE_MS = 3  # after which there is no more of it


class Loop(threading.Thread):
    """Runs one power-on. settings are what firmware/_boot.py reads, without the volatile part."""

    def __init__(self, command: list[str], settings: dict[str, Any]) -> None:
        super().__init__(name="virtualboard", daemon=True)
        self._command = command
        self._settings = settings
        self.relay = Relay(settings["cable"], lambda: "vb" + secrets.token_hex(6))
        self.changed = threading.Condition()
        self.log = bytearray()
        self.callbacks: list[Callable[[str], None]] = []
        self._process: Process | None = None
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
    def counted(self) -> tuple[int, int]:
        """Flash writes and reads since power-on."""
        return self.relay.writes, self.relay.reads

    @property
    def access_point(self) -> dict[str, Any] | None:
        point, ports = self.relay.wifi["point"], self._settings["ports"]
        if not point.get("on"):
            return None
        where = {"http": f"http://127.0.0.1:{ports['80']}/", "dns": ["127.0.0.1", ports["53"]]}
        return {name: point[name] for name in ("ssid", "key", "security", "channel")} | where

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
            self._tell(self.relay.power_on, self._settings["cut"], time.time_ns())
            while self._run_once():
                pass
        except Exception as error:  # the thread's error must reach the user
            with self.changed:
                self.relay.fail(f"{type(error).__name__}: {error}")
                self.changed.notify_all()
        finally:
            self._close_process()
            self.release()

    def _run_once(self) -> bool:
        """Waits, and tells the relay what came; False when asked to stop."""
        poller = select.poll()
        poller.register(self._wake_r, select.POLLIN)
        wait = min(60, self._port.watch(poller), self.relay.deadline - time.monotonic())
        if self.relay.holds_back:
            wait = min(wait, _HELD_S)
        process = self._process
        if process:
            process.watch(poller)
        ready = dict(poller.poll(max(0, wait) * 1000))
        if self._wake_r in ready:
            os.read(self._wake_r, 4096)
        if process and process.channel.fileno() in ready:
            self._read_messages(process)
        if process and process is self._process:
            if process.terminal in ready:
                self._read_board(process)
            elif self.relay.holds_back:
                self._tell(self.relay.quiet)
        if self._port.fd in ready and (typed := self._port.serve(ready[self._port.fd])):
            self._tell(self.relay.typed, typed)
        if self._process:
            self._process.write()
        if (now := time.monotonic()) >= self.relay.deadline:
            self._tell(self.relay.timer, now)
        return self._do_requests()

    def _do_requests(self) -> bool:
        with self.changed:
            requests, self._requests = self._requests, []
        for what, *rest in requests:
            if what == "stop":
                return False
            if what == "type":
                self._tell(self.relay.typed, rest[0])
            elif what == "reset":
                self._tell(self.relay.reset)
            elif what == "cycle":
                self._tell(self.relay.power_on, rest[0], time.time_ns())
            else:
                self._cable(what == "plug")
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

    # ---- from MicroPython

    def _read_messages(self, process: Process) -> None:
        messages, closed = process.messages()
        for message in messages:
            self._tell(self.relay.message, message, time.monotonic())
        if closed and process is self._process:
            self._tell(self.relay.closed)

    def _read_board(self, process: Process) -> bool:
        """False where the terminal is closed."""
        data = process.read()
        if data:
            # What was sent before a mark comes before the state it brings; what ends this
            # MicroPython comes after all that it had printed.
            messages = process.messages()[0]
            ends = [message for message in messages if message[:1] in ENDINGS]
            for message in messages:
                if message not in ends:
                    self._tell(self.relay.message, message, time.monotonic())
            self._tell(self.relay.printed, data)
            for message in ends[:1]:
                self._tell(self.relay.message, message, time.monotonic())
        return data is not None

    # ---- the relay's actions

    def _tell(self, event: Callable[..., list[Action]], *what: Any) -> None:
        """One event for the relay, and what it leads to."""
        with self.changed:
            before = self.relay.state
            actions = event(*what)
            for action in actions:
                if isinstance(action, Show):
                    self.log += action.data
                    for callback in self.callbacks:  # before who waits for the state goes on
                        callback(action.data.decode("utf-8", "replace"))
            del self.log[: max(0, len(self.log) - _MAX_LOG)]
            if actions or self.relay.state != before:
                self.changed.notify_all()
        for action in actions:
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Show(data):
                self._port.send(data)
            case Start(config):
                self._process = Process(self._command, self._settings | config)
            case End(kill):
                self._end(kill)
            case Type(data) if self._process:
                self._process.write(data)
            case Interrupt(pending) if self._process:
                self._process.interrupt(pending)
            case Forget():
                self._port.discard_input()
            case Unplug():
                self._cable(False)

    def _end(self, kill: bool) -> None:
        process = self._process
        if process is None:
            return
        if kill:
            process.kill()
        deadline = time.monotonic() + _DRAIN_S
        poller = select.poll()
        poller.register(process.terminal, select.POLLIN)
        while time.monotonic() < deadline and poller.poll(_PAUSE_MS):
            if not self._read_board(process):
                break
        code = process.wait()
        self._close_process()
        self._tell(self.relay.gone, code)

    def _close_process(self) -> None:
        if self._process:
            self._process.close()
            self._process = None
