"""All figures of one run of the bench, as the one dict that is the JSON.

    link          rtt_ms, loss, runs of the first setting; how late the forwarder was; or "missing"
    first_boot, warm_boot    of this library where the hub offers TLS-PSK, first setting
    obvious       of the obvious program: its first boot, and warm_boot inside
    clients       the same of every client by name, with its title
    settings      every setting: rtt_ms, loss, runs and clients, without memory
    memory        of each interpreter: interpreter, bits, release and clients, see memory.py
    no_32_bit     why there is none of 32 bits among them; null where there is
    flash_mpy_bytes, flash_mpy_total    by module; see build/mpy.py
    flash_reads   of this library's first_boot and warm_boot, and more; see flashreads.py

A boot has rtt, bytes, packets (medians; null where nothing could be measured), rtt_least_most,
connections, requests (HTTP), tls (as the client calls it), completed ([boots, of so many]), and
min_heap_kib and retained_bytes of the first interpreter, the wheel's (null for a peer).
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .. import sources
from ..build import interpreters, mpy
from ..build.interpreters import Interpreter
from . import devices, flashreads, memory, trace
from .clients import OBVIOUS, REFERENCE, Client
from .devices import Batch
from .errors import NoLink
from .wire import BOOTS, Setting, Wire

LOSSY = 2  # times as many runs where packets are lost, as chance is part of the figures


def measure(
    clients: Iterable[Client],
    settings: list[Setting],
    runs: int,
    say: Callable[[str], None],
    others: Iterable[Interpreter] | None = (),
) -> dict:
    """Measures everything; BenchError. Without a link it says why and measures the rest.

    others: interpreters on which memory is measured too, beside the wheel's; None: on none at all.
    """
    clients = tuple(clients)
    with tempfile.TemporaryDirectory(prefix="dynreg-bench-") as folder:
        batch = Batch(Path(folder, "batch"))
        link, found = _over_the_link(batch, clients, settings, runs, say)
        every = []
        if others is not None:
            ours = [client for client in clients if client.program]
            every = memory.of_each(Path(folder), [batch.interpreter, *others], ours, say)
        with devices.hub(True) as hub:
            reads = flashreads.measure(batch, hub, say)
        sizes = mpy.sizes(sources.LIB, Path(folder, "sizes"))
    heaps = every[0]["clients"] if every else {}
    by_client = {
        client.name: {"title": client.title}
        | {
            kind: {
                "rtt": None,
                "bytes": None,
                "packets": None,
                **(found[0]["clients"][client.name][kind] if found else {}),
                **_memory(heaps.get(client.name, {}).get(kind, memory.NOTHING)),
            }
            for kind in BOOTS
        }
        for client in clients
    }
    reference: dict[str, Any] = by_client.get(REFERENCE.name, {})
    obvious: dict[str, Any] | None = by_client.get(OBVIOUS.name)
    return {
        "link": link,
        "first_boot": reference.get("first_boot"),
        "warm_boot": reference.get("warm_boot"),
        "obvious": obvious and {**obvious["first_boot"], "warm_boot": obvious["warm_boot"]},
        "clients": by_client,
        "settings": found,
        "memory": every,
        "no_32_bit": _no_32_bit(every),
        "flash_mpy_bytes": sizes,
        "flash_mpy_total": mpy.totals(sizes),
        "flash_reads": reads,
    }


def _memory(figures: dict) -> dict:
    """A boot's memory, without the TLS that it was measured with: the link's own may differ."""
    return {key: figures[key] for key in memory.NOTHING}


def _no_32_bit(every: list[dict]) -> str | None:
    if not every or any(found["bits"] == 32 for found in every):
        return None
    return interpreters.why_not() or "the 32-bit interpreter that is there was not asked"


def _over_the_link(
    batch: Batch,
    clients: tuple[Client, ...],
    settings: list[Setting],
    runs: int,
    say: Callable[[str], None],
) -> tuple[dict, list[dict]]:
    found = []
    try:
        with Wire(batch, clients) as wire:
            for setting in settings:
                count = runs * LOSSY if setting.loss else runs
                every = wire.measure(setting, count, say)
                by_client = {
                    name: {kind: seen.summary() for kind, seen in kinds.items()}
                    for name, kinds in every.items()
                }
                place = {"rtt_ms": setting.rtt_ms, "loss": setting.loss, "runs": count}
                found.append({**place, "clients": by_client})
            late = trace.worst_and_usual(wire.late)
    except NoLink as missing:
        say(f"no round trips, bytes and packets: {missing}")
        return {"missing": str(missing)}, []
    first = {key: found[0][key] for key in ("rtt_ms", "loss", "runs")}
    return {**first, **late}, found
