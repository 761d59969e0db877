"""Memory: the smallest heap of each boot, what is kept at its end, what grows; by interpreter.

A board has pointers of 32 bits, the pinned wheel of 64, so the same is measured on both where a
32-bit interpreter is there. Two interpreters differ in more than that: one without TLS-PSK logs in
with certificates, so each figure comes with the TLS that it is of.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from ..build.interpreters import Interpreter
from . import boot, devices, heap
from .clients import Client
from .devices import Batch
from .errors import BenchError
from .wire import BOOTS

# A warm boot whose session is lost and made again three times; of this library only.
RECONNECTS = "reconnects"
KINDS = (*BOOTS, RECONNECTS)
NOTHING = {"min_heap_kib": None, "retained_bytes": None}
_NAMES = re.compile(r"n_qstr=(\d+)")


def of_each(
    folder: Path,
    interpreters: Iterable[Interpreter],
    clients: list[Client],
    say: Callable[[str], None],
) -> list[dict]:
    """measure() on each interpreter, the first of which must do it: see results.py. BenchError."""
    found: list[dict] = []
    for interpreter in interpreters:
        batch = Batch(folder / str(len(found)), interpreter)
        by_client = {}
        for client in clients:
            try:
                by_client |= measure(batch, [client], say)
            except BenchError as error:
                if not found:
                    raise
                say(f"not on {interpreter.title}: {error}")
        place = {"interpreter": interpreter.name, "bits": interpreter.bits}
        found.append({**place, "release": interpreter.release, "clients": by_client})
    return found


def measure(batch: Batch, clients: list[Client], say: Callable[[str], None]) -> dict:
    """By client: min_heap_kib, retained_bytes and tls by kind of boot, and growth. BenchError.

    growth is of this library only: bytes and names (interned strings) that are held after the
    hundredth reconnect and were not after the first. The hubs are on loopback.
    """
    found = {}
    with ExitStack() as stack:
        empty = _retained(batch.output("nothing", batch.folder / "programs"))
        offered = {client.psk for client in clients}
        hubs = {psk: stack.enter_context(devices.hub(psk)) for psk in offered}
        for client in clients:
            say(f"the smallest heap of {client.title}, {batch.interpreter.title}")
            hub = hubs[client.psk]
            device = batch.new(client, hub)
            boots = [boot.run(device) for _ in BOOTS]
            completes = [heap.first_boot(batch, client, hub), heap.warm_boot(device)]
            if client.program == "ours":
                boots.append(boot.run(device, program=RECONNECTS))
                completes.append(heap.warm_boot(device, RECONNECTS))
            found[client.name] = {
                kind: {
                    "min_heap_kib": heap.smallest(does) / 1024,
                    "retained_bytes": _retained(done.output) - empty,
                    "tls": done.tls,
                }
                for kind, done, does in zip(KINDS, boots, completes, strict=False)
            }
            if client.program == "ours":
                found[client.name]["growth"] = _growth(boot.run(device, program="growth"))
    return found


def _growth(done: boot.Boot) -> dict:
    first, last = map(int, _NAMES.findall(done.output))
    return {"bytes": done.figures["growth"], "names": last - first}


def _retained(output: str) -> int:
    found = re.search(r"^@retained (\d+)", output, re.MULTILINE)
    if not found:
        raise BenchError("the program does not say how much it has kept")
    return int(found[1])
