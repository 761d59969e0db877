"""One boot of a device: started, watched until its clock is set, let end, judged."""

import re
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from os import killpg
from shutil import which

from .devices import Device
from .errors import BenchError

BOOT_S = 120  # the most that one boot may take
_PARTING_S = 3  # how long a peer may go on once it has the time
_CLOCK_SET = re.compile(r"^@clock set (\S+)")
_FIGURE = re.compile(r"^@(\w+) (-?\d+)$", re.MULTILINE)
# A client must not outlive us: it would hold its namespace.
_WITH_US = ["setpriv", "--pdeathsig", "KILL", "--"] if which("setpriv") else []


class BootError(BenchError):
    """The boot did not come to a set clock, or to no good end."""


@dataclass(frozen=True, slots=True)
class Boot:
    """tls: what the client says of its link; requests: HTTP, counted; output: all it printed."""

    tls: str
    requests: int
    output: str

    @property
    def figures(self) -> dict[str, int]:
        """What the program has measured itself: "retained", bytes of heap, and others."""
        return {name: int(value) for name, value in _FIGURE.findall(self.output)}


def run(
    device: Device,
    heap: str | None = None,
    popen: Callable = subprocess.Popen,
    at_clock: Callable = lambda: None,
    limit_s: float = BOOT_S,
    program: str | None = None,
) -> Boot:
    """Boots a device. BootError.

    heap: as MicroPython's -X heapsize has it. program: one of programs/ instead of the client's
    own, for more than a boot. popen: starts the program, subprocess.Popen or the
    same in a namespace. at_clock() is called once the clock is set; one of our programs waits
    for it, a peer does not.
    """
    ours = device.client.program is not None
    start = device.start(heap, program)
    requests, past = len(device.hub.requests), len(device.hub.events)
    process = popen(
        [*_WITH_US, *start.pop("args")],
        **start,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    watchdog = threading.Timer(limit_s, _kill, [process])
    watchdog.start()
    try:
        if ours:
            output, tls = _watch(process, at_clock)
        else:
            output, tls = _watch_peer(process, at_clock, device, past)
    finally:
        watchdog.cancel()
        _kill(process)
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
    if tls is None or (ours and process.returncode):
        last = " ".join([line.strip() for line in output.splitlines() if line.strip()][-1:])
        raise BootError(
            f"{device.client.title} does not get to a set clock: "
            f"{last[:300] or f'exit code {process.returncode}'}"
        )
    return Boot(tls, len(device.hub.requests) - requests, output)


def _watch(process: subprocess.Popen, at_clock: Callable) -> tuple[str, str | None]:
    output, tls = "", None
    assert process.stdin is not None
    assert process.stdout is not None  # run() has made both pipes
    for line in process.stdout:
        output += line
        if found := _CLOCK_SET.match(line):
            tls = found[1]
            at_clock()
            with suppress(BrokenPipeError):
                process.stdin.write("\n")
                process.stdin.flush()
    process.wait()
    return output, tls


def _watch_peer(
    process: subprocess.Popen, at_clock: Callable, device: Device, past: int
) -> tuple[str, str | None]:
    """A peer does not say when its clock is set, but the hub says when it answered.

    past: how many of the hub's events are of earlier boots.
    """
    output: list[str] = []
    drain = threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True)
    drain.start()
    answered = False
    count = len(_named("time_answered", device.hub.events[:past])) + 1
    while not answered and process.poll() is None:
        with suppress(TimeoutError):
            answered = bool(device.hub.wait_for("time_answered", 0.1, count=count))
    at_clock()
    logins = _named("login", device.hub.events[past:])
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PARTING_S)
    _kill(process)
    drain.join(_PARTING_S)
    if not answered and process.returncode:
        return "".join(output), None
    return "".join(output), logins[-1]["tls"] if logins else "no login"


def _named(name: str, events: list[dict]) -> list[dict]:
    return [event for event in events if event["event"] == name]


def _kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        killpg(process.pid, signal.SIGKILL)
        process.wait()
