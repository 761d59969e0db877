"""Boots over the link: round trips, bytes and packets of each client, medians over the runs."""

import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

from . import boot, devices, trace
from .clients import Client
from .devices import Batch, Device
from .link import HUB, Link

_COUNTS = ("bytes", "packets", "bytes_without_acks", "packets_without_acks")
BOOTS = ("first_boot", "warm_boot")


@dataclass(frozen=True, slots=True)
class Setting:
    """A link: its round trip in milliseconds, the chance of each packet to be lost."""

    rtt_ms: float
    loss: float = 0

    def __str__(self) -> str:
        lost = f"{self.loss * 100:g} % of the packets lost" if self.loss else "nothing lost"
        return f"{self.rtt_ms:g} ms, {lost}"


@dataclass(slots=True)
class Runs:
    """What one client's boots of one kind came to."""

    seen: list[trace.Seen] = field(default_factory=list)
    boots: list[boot.Boot] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def summary(self) -> dict:
        """Medians, for the JSON; round trips' least and most too. None where no boot completed."""
        values: dict[str, Any] = {"rtt": None, "bytes": None, "packets": None}
        if self.seen:
            trips = [seen.rtt for seen in self.seen]
            values = {
                "rtt": round(statistics.median(trips), 2),
                "rtt_least_most": [round(min(trips), 2), round(max(trips), 2)],
                **{
                    name: round(statistics.median(getattr(seen, name) for seen in self.seen))
                    for name in _COUNTS
                },
                "connections": max(seen.connections for seen in self.seen),
                "requests": max(boot.requests for boot in self.boots),
                "tls": self.boots[-1].tls,
            }
        values["completed"] = [len(self.seen), len(self.seen) + len(self.failures)]
        return values


class Wire:
    """A context manager: the link with a hub at its end for each kind of client. NoLink."""

    def __init__(self, batch: Batch, clients: Iterable[Client]) -> None:
        self._batch = batch
        self._clients = tuple(clients)
        self.late: list[float] = []  # ms by which the forwarder was late, of every packet

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._link = stack.enter_context(Link())
            self._hubs = {}
            for psk in {client.psk for client in self._clients}:
                self._hubs[psk] = hub = devices.hub(psk, HUB)
                self._link.hub.call(hub.start)
                stack.callback(hub.stop)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(
        self, setting: Setting, runs: int, say: Callable[[str], None] = lambda _text: None
    ) -> dict[str, dict[str, Runs]]:
        """Each client's first and warm boots, `runs` times in turn, by client and kind of boot.

        Without loss a boot that fails is a BenchError; with it, it is counted.
        """
        found = {c.name: {kind: Runs() for kind in BOOTS} for c in self._clients}
        for number in range(1, runs + 1):
            for client in self._clients:
                say(f"{setting}: run {number} of {runs}, {client.title}")
                device = self._batch.new(client, self._hubs[client.psk])
                for kind in BOOTS:
                    into = found[client.name][kind]
                    try:
                        self._boot(device, setting, number, into)
                    except boot.BootError as error:
                        if not setting.loss:
                            raise
                        into.failures.append(str(error))
                        break  # a device that did not register has no warm boot
                device.discard()
        return found

    def _boot(self, device: Device, setting: Setting, seed: int, into: Runs) -> None:
        self._link.use(setting.rtt_ms, setting.loss, seed)
        noted = []

        def at_clock() -> None:
            if device.client.program is None:
                # Half a round trip later the hub's answer is there, a whole one later what the
                # peer does next has come back to the hub.
                time.sleep(setting.rtt_ms * 0.75e-3)
            noted.extend(self._link.noted())

        popen = partial(self._link.client.call, subprocess.Popen)
        done = boot.run(device, popen=popen, at_clock=at_clock)
        into.seen.append(trace.seen(noted, setting.rtt_ms))
        into.boots.append(done)
        self.late += trace.lateness_ms(noted)
