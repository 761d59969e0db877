"""Load on a real hub, in a process of its own: how many sessions, how many answers a second."""

import asyncio
import base64
import json
import resource
import secrets
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..hub.store import Product, Store
from .errors import BenchError
from .loadsessions import PRODUCT, Run

_SPARE_FILES = 100


@dataclass(frozen=True)
class Load:
    """What is asked of the hub: `in_flight` requests at any time, for `seconds`."""

    sessions: int
    in_flight: int
    seconds: float
    tls: bool


@dataclass
class Figures:
    """What came of it; `lost` are requests without an answer.

    `kb_per_session` is by what the hub's resident memory grew, None where that is not to be had.
    """

    logins_per_s: float
    round_trips: int
    seconds: float
    per_second: float
    median_ms: float
    p99_ms: float
    wrong: int
    lost: int
    kb_per_session: float | None


def run(load: Load) -> Figures:
    """Start a hub with so many devices and load it; BenchError where that cannot be done."""
    _need_files(load.sessions + _SPARE_FILES)
    with tempfile.TemporaryDirectory(prefix="dynreg-load-") as folder:
        keys = _devices(Path(folder), load.sessions)
        with _hub(Path(folder)) as (ready, pid):
            return asyncio.run(_measure(load, keys, ready, pid))


def table(results: Sequence[tuple[Load, Figures]]) -> str:
    """The figures as Markdown, a column for each load."""
    loads = [load for load, _ in results]
    figures = [figures for _, figures in results]
    rows = [
        ["", *("TLS" if load.tls else "TCP" for load in loads)],
        ["---"] * (len(loads) + 1),
        ["sessions open at once", *(f"{load.sessions:,}" for load in loads)],
        ["logins a second", *(f"{one.logins_per_s:,.0f}" for one in figures)],
        ["round trips a second", *(f"{one.per_second:,.0f}" for one in figures)],
        ["half of them within", *(f"{one.median_ms:.0f} ms" for one in figures)],
        ["99 % within", *(f"{one.p99_ms:.0f} ms" for one in figures)],
        ["round trips", *(f"{one.round_trips:,}" for one in figures)],
        ["wrong messages", *(f"{one.wrong:,}" for one in figures)],
        ["answers that did not come", *(f"{one.lost:,}" for one in figures)],
        ["memory of the hub for a session", *(_kb(one.kb_per_session) for one in figures)],
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _kb(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f} KB"


def _need_files(wanted: int) -> None:
    """Let this process and the hub's, which inherits the limit, open so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise BenchError(f"{wanted:,} open files are needed, the system allows {hard:,}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _devices(folder: Path, number: int) -> list[bytes]:
    """Registers devices d0, d1, … right in the hub's store; their keys."""
    store = Store(folder / "hub.db")
    store.save_product(Product(PRODUCT, secrets.token_hex(12), True, 2, 0))
    keys = [secrets.token_bytes(16) for _ in range(number)]
    for index, key in enumerate(keys):
        store.add_device(PRODUCT, f"d{index}", base64.b64encode(key).decode())
    store.close()
    return keys


@contextmanager
def _hub(folder: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """(ready line, process id) of a hub as `dynreg hub` runs it; its events are read on and on."""
    command = [sys.executable, "-m", "dynreg_tools", "hub", "--data", str(folder)]
    command += ["--cert-key", "ec", "--product-id", PRODUCT]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchError("the hub did not start")
        reader = threading.Thread(target=_drain, args=(process.stdout,))
        reader.start()
        try:
            yield json.loads(line), process.pid
        finally:
            process.terminate()
            reader.join()


def _drain(pipe: Any) -> None:
    while pipe.read1(1 << 20):
        pass


async def _measure(load: Load, keys: list[bytes], ready: dict[str, Any], pid: int) -> Figures:
    tls = ssl.create_default_context(cafile=ready["ca_pem"]) if load.tls else None
    run = Run()
    before, began = _resident_kb(pid), time.perf_counter()
    await run.log_in(keys, ready["mqtts" if tls else "mqtt"], tls)
    login_s, after = time.perf_counter() - began, _resident_kb(pid)
    seconds = await run.round_trips(load.seconds, load.in_flight)
    run.close()
    took = sorted(run.took)
    return Figures(
        logins_per_s=load.sessions / login_s,
        round_trips=len(took),
        seconds=seconds,
        per_second=len(took) / seconds,
        median_ms=took[len(took) // 2] * 1000,
        p99_ms=took[len(took) * 99 // 100] * 1000,
        wrong=run.wrong,
        lost=run.pending,
        kb_per_session=None if before is None else (after - before) / load.sessions,
    )


def _resident_kb(pid: int) -> Any:
    """A process's resident memory, as Linux tells it, else None."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return None
    return int(status.partition("VmRSS:")[2].split()[0])
