"""Cases in processes of CPython or real MicroPython; one that hangs or dies is replaced."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dynreg_tools.build import wheel

DEVICE = Path(__file__).with_name("device.py")
INTERPRETERS = ("micropython", "cpython")
_HEAP = "2M"  # for the stand-ins and inputs of 16 KB; what asks for more than that has no bounds
_HANGS_S = 2  # seconds of processor time for one case; usually it is 3 ms
_TRIES = 3  # to learn where a case hangs: MicroPython does not always survive Ctrl-C
_SILENCE_S = 2  # and by the clock


class FuzzError(Exception):
    """The run itself failed; the message is one sentence."""


class Chunk:
    """count cases from first on. run() fills faults, with dicts of device.py, and seen.

    seen: by target, how many calls had a sound result, and how many were refused.

    job: further options of device.py: seed or given.
    """

    def __init__(self, interpreter, first, count, **job):
        self.command = [*command(interpreter), DEVICE.as_posix()]
        self.job = job
        self.first = self.next = first
        self.end = first + count
        self.faults = []
        self.seen = {}
        self._process = None
        self._stopped = False
        self._tries = 0

    def run(self):
        """Runs all; self. FuzzError where no case can be run at all."""
        while self.next < self.end and not self._stopped:
            self._run_on()
        return self

    def stop(self):
        """Ends the run from another thread."""
        self._stopped = True
        if self._process:
            self._process.kill()

    def _run_on(self):
        """One process, as far as it comes; next is the first case that it did not finish."""
        with (
            tempfile.TemporaryDirectory() as folder,  # a process that is killed leaves its files
            subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": folder},
            ) as process,
        ):
            self._process = process
            try:
                job = {**self.job, "first": self.next, "count": self.end - self.next}
                process.stdin.write(json.dumps(job).encode() + b"\n")
                process.stdin.flush()
                self._read_output(process)
            finally:
                process.kill()

    def _read_output(self, process):
        case, output, interrupted = None, [], False
        for text in lines(process):
            if text is None:
                if interrupted:  # nor does it react to Ctrl-C
                    break
                process.send_signal(signal.SIGINT)
                interrupted = True
            elif text.startswith("@case "):
                if interrupted:  # what it has left is not to be relied on
                    break
                _, case, target = text.split(" ", 2)
                self.next = case = int(case)
            elif text.startswith("@fault "):
                self.faults.append(json.loads(text[7:]))
            elif text.startswith("@seen "):
                counts = self.seen.setdefault(target, {"sound": 0, "refused": 0})
                for what, number in json.loads(text[6:]).items():
                    counts[what] += number
            else:
                output.append(text)
        words = " | ".join(output[-5:])
        if case is None:
            raise FuzzError(f"{self.command[0]} runs no case: {words or 'it prints nothing'}")
        self._tries = self._tries + 1 if interrupted else 0
        reported = any(fault["case"] == case for fault in self.faults[-1:])
        if interrupted and not reported and self._tries < _TRIES:
            return  # the same case once more
        self.next = case + 1
        ended = not interrupted and process.wait() == 0
        if self._stopped or ended or reported:
            return
        what = "hangs" if interrupted else f"ends with exit code {process.returncode}"
        fault = {"fault": f"{target}: {what}", "case": case, "input": "?", "text": words}
        self.faults.append(fault)


def lines(process):
    """The lines that the process prints; None after each _HANGS_S of work on one case."""
    rest, seen, last_output = b"", cpu_seconds(process.pid), time.monotonic()
    while True:
        if not select.select([process.stdout], [], [], 0.5)[0]:
            used = cpu_seconds(process.pid)
            if used - seen > _HANGS_S and time.monotonic() - last_output > _SILENCE_S:
                yield None
                seen, last_output = used, time.monotonic()
            continue
        data = os.read(process.stdout.fileno(), 65536)
        if not data:
            return
        seen, last_output = cpu_seconds(process.pid), time.monotonic()
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")


def cpu_seconds(pid):
    """Processor time that the process took; without /proc, seconds by the clock."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command(interpreter):
    """How the interpreter is started; InterpreterError where there is none."""
    if interpreter == "cpython":
        return [sys.executable, "-u"]
    return [str(wheel.path()), "-X", f"heapsize={_HEAP}"]
