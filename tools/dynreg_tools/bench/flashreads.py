"""Reads of the flash: what littlefs asks of the block device, in calls of readblocks.

On a board each import searches the file system, and each step loads its modules anew. The flash is
a RAM disk of 2 MiB in the wheel's interpreter, mounted as an ESP32's _boot.py mounts its own, lib/
on it as .mpy. The counts are the same on every run.
"""

import re
from collections.abc import Callable

from ..hub import Hub
from . import boot
from .clients import REFERENCE
from .devices import Batch
from .errors import BenchError
from .wire import BOOTS

_HEAP = "16M"  # holds the flash too
_FILE = re.compile(r"^@file (\S+) (\d+)$", re.MULTILINE)


def measure(batch: Batch, hub: Hub, say: Callable[[str], None] = lambda _text: None) -> dict:
    """Reads of a first_boot and a warm_boot, mount to clock set; of writing lib/. BenchError.

    created: reads by file, written one after the other onto a formatted flash as deploy writes
    them; created_total, and the worst_file with its worst_path.
    """
    say("reads of the flash")
    device = batch.new(REFERENCE, hub)
    try:
        copied = batch.output("flash_copy", device.folder, _HEAP)
        boots = [boot.run(device, _HEAP, program="flash_boot") for _ in BOOTS]
    finally:
        device.discard()
    created = {path: int(reads) for path, reads in _FILE.findall(copied)}
    if not created:
        raise BenchError("nothing was copied onto the flash")
    worst = max(created, key=created.__getitem__)
    return {
        **{kind: done.figures["reads"] for kind, done in zip(BOOTS, boots, strict=True)},
        "created_total": sum(created.values()),
        "worst_file": created[worst],
        "worst_path": worst,
        "created": created,
    }
