"""How long a deploy takes, beside bare mpremote with the same files: no test, a measurement.

    PYTHONPATH=tools .venv/bin/python -m tests_host.fleet.deploy_times [ROUNDS]

Whole commands on a virtual board, start of Python included; the median of the rounds. A pty is
far faster than a UART, so that what is seen here is what does not depend on the cable's speed;
what goes over the cable is counted in bytes.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mpremote.commands import do_filesystem_recursive_cp
from mpremote.main import State
from mpremote.transport_serial import SerialTransport

from dynreg_tools import sources
from dynreg_tools.virtualboard import Board
from tests_host.fleet import batchfolder, terminal
from tests_host.fleet.batchfolder import content_of, files_of, make_info
from tests_host.fleet.image_times import counted


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    times: dict[str, list[float]] = {"mpremote fs cp -r": [], "full deploy": [], "unchanged": []}
    with tempfile.TemporaryDirectory(prefix="dynreg-times-") as name:
        folder = Path(name)
        make_info(folder / "batch")
        wanted = files_of(content_of(folder / "batch"))
        for path, data in wanted.items():
            place = folder / "staging" / path[1:]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        shutil.copy(folder / "batch/device_info.json", folder / "staging")
        items = sorted(str(item) for item in (folder / "staging").iterdir())
        for n in range(rounds):
            with powered(folder / f"a{n}") as port:
                mpremote = ["-m", "mpremote", "connect", port, "fs", "cp", "-r", *items, ":"]
                times["mpremote fs cp -r"].append(timed([sys.executable, *mpremote], folder))
            with powered(folder / f"b{n}") as port:
                deploy = terminal.dynreg("deploy", "--port", port)
                times["full deploy"].append(timed(deploy, folder / "batch"))
                time.sleep(0.5)  # the board starts
                times["unchanged"].append(timed(deploy, folder / "batch"))
        for n, what in enumerate(("mpremote fs cp -r", "full deploy")):
            with powered(folder / f"c{n}") as port:
                print(f"{what}: {sent(what, port, items, folder):6} bytes to the board")
    total = sum(map(len, wanted.values()))
    print(f"{len(wanted) + 1} files, {total} bytes and device_info.json, {rounds} rounds")
    base = statistics.median(times["mpremote fs cp -r"])
    for what, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{what:20} {median:5.2f} s  {median / base:4.2f} x mpremote  (", end="")
        print(f"{min(seconds):.2f} to {max(seconds):.2f})")
    return 0


class powered:
    """A blank board at its prompt; its port."""

    def __init__(self, folder: Path):
        self._running = Board.new(folder, wifi={}).power_on()

    def __enter__(self) -> str:
        self._running.__enter__()
        self._running.wait_repl()
        return self._running.port

    def __exit__(self, *exception: object) -> None:
        self._running.__exit__()


def timed(command: list[str], cwd: Path) -> float:
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(sources.ROOT / "tools")}
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.monotonic() - began


def sent(what: str, port: str, items: list[str], folder: Path) -> int:
    """The bytes that went to the board."""
    if what == "full deploy":
        return counted(lambda: batchfolder.deploy(port, content_of(folder / "batch")))
    return counted(lambda: copy_by_mpremote(port, items))


def copy_by_mpremote(port: str, items: list[str]) -> None:
    state = State()
    state.transport = SerialTransport(port, timeout=3)
    state.transport.enter_raw_repl()
    for item in items:
        do_filesystem_recursive_cp(state, item, ":", len(items) > 1, True)
    state.transport.exit_raw_repl()
    state.transport.close()


if __name__ == "__main__":
    sys.exit(main())
