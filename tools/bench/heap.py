"""The heap: the smallest in which a boot completes, and what a boot keeps at its end.

Of this machine's interpreter, a 64-bit one. A 32-bit board needs less; how much less is not
measured, as there is no 32-bit MicroPython to be had as a package.
"""

import re
import subprocess
from collections.abc import Callable
from functools import partial

from tools.localhub import Hub

from .boot import BootError, run
from .clients import Client
from .devices import Batch, Device
from .errors import BenchError

TRIES = 3
_LEAST, _MOST = 4, 512  # KiB
_BOOT_S = 20


def smallest(completes: Callable[[int], bool], least: int = _LEAST, most: int = _MOST) -> int:
    """The smallest of least to most for which completes(KiB) is true, by bisection. BenchError.

    In barely enough memory a boot might complete only now and then, as the collector takes stray
    numbers on the stack for pointers: so the size found must be enough TRIES times in a row.
    """
    if not completes(most):
        raise BenchError(f"a boot does not complete in a heap of {most} KiB either")
    while least < most:
        middle = (least + most) // 2
        if completes(middle):
            most = middle
        else:
            least = middle + 1
    while not all(completes(most) for _ in range(TRIES - 1)):
        most += 1
    return most


def first_boot(batch: Batch, client: Client, hub: Hub) -> Callable[[int], bool]:
    """Whether a blank device's first boot completes in so many KiB."""

    def completes(kib: int) -> bool:
        device = batch.new(client, hub)
        try:
            return _completes(device, kib)
        finally:
            device.discard()

    return completes


def warm_boot(device: Device) -> Callable[[int], bool]:
    """Whether a registered device's boot completes in so many KiB."""
    return partial(_completes, device)


def _completes(device: Device, kib: int) -> bool:
    try:
        run(device, f"{kib}K", limit_s=_BOOT_S)
    except BootError:
        return False
    return True


def empty(batch: Batch) -> int:
    """Bytes of heap that an interpreter holds which has done nothing."""
    result = subprocess.run(
        batch.command("nothing"),
        env=batch.environment,
        cwd=batch.folder / "programs",
        capture_output=True,
        text=True,
    )
    return int(re.search(r"@retained (\d+)", result.stdout)[1])
