"""All figures of one run of the bench, as the one dict that is the JSON.

    link          rtt_ms, loss, runs of the first setting; how late the forwarder was; or "missing"
    first_boot, warm_boot    of this library where the hub offers TLS-PSK, first setting
    obvious       of the obvious program: its first boot, and warm_boot inside
    clients       the same of every client by name, with its title
    settings      every setting: rtt_ms, loss, runs and clients, without memory
    flash_mpy_bytes, flash_mpy_total    by module; see tools/mpy.py

A boot has rtt, bytes, packets (medians; null where nothing could be measured), rtt_least_most,
connections, requests (HTTP), tls (as the client calls it), completed ([boots, of so many]), and
min_heap_kib and retained_bytes (null for a peer).
"""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from tools import mpy

from . import boot, devices, heap, trace
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
    with_heap: bool = True,
) -> dict:
    """Measures everything; BenchError. Without a link it says why and measures the rest."""
    clients = tuple(clients)
    with tempfile.TemporaryDirectory(prefix="dynreg-bench-") as folder:
        batch = Batch(Path(folder, "batch"))
        link, found = _over_the_link(batch, clients, settings, runs, say)
        ours = [client for client in clients if client.program and with_heap]
        heaps = memory(batch, ours, say)
        sizes = mpy.sizes(mpy.LIB, Path(folder, "sizes"))
    by_client = {
        client.name: {"title": client.title}
        | {
            kind: {
                "rtt": None,
                "bytes": None,
                "packets": None,
                **(found[0]["clients"][client.name][kind] if found else {}),
                **heaps.get(client.name, {}).get(kind, _NO_MEMORY),
            }
            for kind in BOOTS
        }
        for client in clients
    }
    ours, obvious = by_client.get(REFERENCE.name, {}), by_client.get(OBVIOUS.name)
    return {
        "link": link,
        "first_boot": ours.get("first_boot"),
        "warm_boot": ours.get("warm_boot"),
        "obvious": obvious and {**obvious["first_boot"], "warm_boot": obvious["warm_boot"]},
        "clients": by_client,
        "settings": found,
        "flash_mpy_bytes": sizes,
        "flash_mpy_total": mpy.totals(sizes),
    }


_NO_MEMORY = {"min_heap_kib": None, "retained_bytes": None}


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


def memory(batch: Batch, clients: list[Client], say: Callable[[str], None]) -> dict:
    """min_heap_kib and retained_bytes by client and kind of boot; the hubs are on loopback."""
    found = {}
    with ExitStack() as stack:
        empty = heap.empty(batch)
        hubs = {psk: stack.enter_context(devices.hub(psk)) for psk in (True, False)}
        for client in clients:
            say(f"the smallest heap of {client.title}")
            hub = hubs[client.psk]
            device = batch.new(client, hub)
            completes = (heap.first_boot(batch, client, hub), heap.warm_boot(device))
            retained = [boot.run(device).retained - empty for _ in BOOTS]
            found[client.name] = {
                kind: {"min_heap_kib": heap.smallest(does), "retained_bytes": kept}
                for kind, does, kept in zip(BOOTS, completes, retained, strict=True)
            }
    return found
