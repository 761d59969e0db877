"""The wire between two TUN devices: holds every packet back for half the round trip.

    python -m tools.bench.forwarder CLIENT HUB        two file descriptors

A process of its own, so that nothing else that this program does delays a packet. Takes one JSON
object a line on standard input, ends with it, and answers on standard output:

    {"rtt_ms": 200, "loss": 0.01, "seed": 1}    from now on; forgets what it has noted; answers {}
    {"noted": true}                             answers with a list, an entry a packet

Every IPv4 packet is noted as it enters: [entered, due, delivered, to_client, size, head]. Times
are of CLOCK_MONOTONIC in nanoseconds; delivered is null for a packet that was lost or is still on
its way; size is the IP packet's in bytes; head is its first 60 bytes in hex. Other packets (the
kernel's IPv6 chatter) are dropped unnoted. loss is the chance of each packet, by a pseudo-random
sequence for each direction that begins with seed.
"""

import heapq
import json
import os
import random
import select
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

_HEAD = 60
_MTU = 65536
_SOON = 500_000  # ns before a packet is due from which on we wait awake: a sleep oversleeps
DUE, DELIVERED = 1, 2  # in an entry


class Forwarder:
    """devices: the client's and the hub's TUN device, non-blocking."""

    def __init__(self, client: int, hub: int) -> None:
        self._devices = (client, hub)
        self._waiting: list[tuple] = []
        self._count = 0
        self.use(0, 0, 0)

    def use(self, rtt_ms: float, loss: float, seed: int) -> None:
        """A new link, from the next packet on."""
        self._delay = round(rtt_ms * 500_000)
        self._loss = loss
        self._chances = [random.Random(f"{seed} {direction}") for direction in (0, 1)]
        self.noted: list[list] = []

    def run(self, commands: int) -> None:
        """Forwards until `commands` ends."""
        for line in self._lines(commands):
            command = json.loads(line)
            if "noted" in command:
                answer = self.noted
            else:
                self.use(**command)
                answer = {}
            print(json.dumps(answer), flush=True)

    def _lines(self, commands: int) -> Iterator[bytes]:
        """Complete lines of commands; forwards while there is none."""
        text = b""
        while True:
            self._deliver()
            readable, _, _ = select.select([*self._devices, commands], [], [], self._idle())
            for to_client, device in ((False, self._devices[0]), (True, self._devices[1])):
                if device in readable:
                    self._take(device, to_client)
            if commands in readable:
                data = os.read(commands, 4096)
                if not data:
                    return
                *lines, text = (text + data).split(b"\n")
                yield from lines

    def _idle(self) -> float | None:
        """Seconds until the next packet is nearly due; None when there is none."""
        if not self._waiting:
            return None
        return max(0, self._waiting[0][0] - _SOON - time.monotonic_ns()) / 1e9

    def _take(self, device: int, to_client: bool) -> None:
        try:
            packet = os.read(device, _MTU)
        except BlockingIOError:
            return
        entered = time.monotonic_ns()
        if packet[0] >> 4 != 4:
            return
        due = entered + self._delay
        entry = [entered, due, None, to_client, len(packet), packet[:_HEAD].hex()]
        self.noted.append(entry)
        if self._chances[to_client].random() >= self._loss:
            self._count += 1
            heapq.heappush(self._waiting, (due, self._count, packet, entry))

    def _deliver(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic_ns():
            _, _, packet, entry = heapq.heappop(self._waiting)
            os.write(self._devices[0 if entry[3] else 1], packet)
            entry[DELIVERED] = time.monotonic_ns()


def _hurry() -> None:
    """Go before all others, where that is allowed: on a busy machine they would show as delay."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


if __name__ == "__main__":
    _hurry()
    Forwarder(*map(int, sys.argv[1:])).run(sys.stdin.fileno())
