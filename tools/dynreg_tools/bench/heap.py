"""The smallest heap in which a boot completes, by bisection."""

from collections.abc import Callable
from functools import partial

from ..hub import Hub
from .boot import BootError, run
from .clients import Client
from .devices import Batch, Device
from .errors import BenchError

TRIES = 3
STEP = 256  # bytes
_LEAST, _MOST = 4 * 1024, 512 * 1024
_BOOT_S = 20


def smallest(completes: Callable[[int], bool], least: int = _LEAST, most: int = _MOST) -> int:
    """The smallest heap for which completes(bytes) is true, a multiple of STEP. BenchError.

    In barely enough memory a boot might complete only now and then, as the collector takes stray
    numbers on the stack for pointers: so the size found must be enough TRIES times in a row.
    """
    if not completes(most):
        raise BenchError(f"a boot does not complete in a heap of {most // 1024} KiB either")
    low, high = least // STEP, most // STEP
    while low < high:
        middle = (low + high) // 2
        if completes(middle * STEP):
            high = middle
        else:
            low = middle + 1
    while not all(completes(high * STEP) for _ in range(TRIES - 1)):
        high += 1
    return high * STEP


def first_boot(batch: Batch, client: Client, hub: Hub) -> Callable[[int], bool]:
    """Whether a blank device's first boot completes in so many bytes."""

    def completes(size: int) -> bool:
        device = batch.new(client, hub)
        try:
            return _completes(device, None, size)
        finally:
            device.discard()

    return completes


def warm_boot(device: Device, program: str | None = None) -> Callable[[int], bool]:
    """Whether a registered device's boot completes in so many bytes; program: see boot.run."""
    return partial(_completes, device, program)


def _completes(device: Device, program: str | None, size: int) -> bool:
    try:
        run(device, str(size), limit_s=_BOOT_S, program=program)
    except BootError:
        return False
    return True
