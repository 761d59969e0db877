"""The herd: after a power cut of a whole site all boards boot in the same second.

Each board tries, and waits, as the library does: CONNECT with 10 s for its answer, then what
lib/dynreg's own backoff.py says. Time is a queue of events, chance is seeded: the same each time.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ..sources import ROOT, library

PAGE, PICTURE = ROOT / "docs" / "herd.md", ROOT / "docs" / "herd.svg"
SPREADS = (0, 30, 60, 120)
BEGIN, END = "<!-- figures of ./dev herd --write -->\n", "<!-- end of the figures -->"
LOAD_BEGIN = "<!-- figures of ./dev herd --load --write -->\n"
_ANSWER_S = 10.0  # what a board waits for connection, handshake and CONNACK together
_TRIP_S = 0.05  # until a refused connection is known to be


@dataclass(frozen=True)
class Site:
    """What is simulated.

    boards boot within one second. The cloud takes `capacity` logins a second, in their order, and
    refuses connections beyond what it can answer within `backlog` seconds; of its answers the
    share `loss` is lost in the first `loss_s` seconds, after it has spent its capacity on them.
    """

    boards: int = 10000
    capacity: int = 200
    backlog: float = 10
    loss: float = 0.5
    loss_s: float = 120
    seed: int = 1


@dataclass
class Result:
    """Seconds until the share of the boards was online; what one board, and the cloud, had of it.

    connects: tries in each second; online: boards online at the end of each second.
    """

    spread: float
    half: float
    most: float
    all: float
    peak: int
    peak_later: int
    connects_per_board: float
    most_connects: int
    connects: list[int]
    online: list[int]


def backoff() -> Any:
    """The library's own back-off, lib/dynreg/connect/backoff.py."""
    return library("connect.backoff")


_SOON = SimpleNamespace(retry=True)  # an error of the way to the cloud


def simulate(site: Site, spread: float = 0) -> Result:
    """One site with a first try at any time within `spread` seconds after the boot."""
    chance = random.Random(site.seed)
    module = backoff()
    real, module.port = module.port, SimpleNamespace(random_bytes=chance.randbytes)
    try:
        return _simulate(site, spread, chance, module.wait_ms)
    finally:
        module.port = real


def _simulate(
    site: Site, spread: float, chance: random.Random, wait_ms: Callable[[int, object], float]
) -> Result:
    # (when, board, failures so far): boards are told apart by number, so the order is settled.
    coming = [
        (chance.random() + chance.random() * spread, board, 0) for board in range(site.boards)
    ]
    heapq.heapify(coming)
    free = 0.0  # when the cloud has done all that waits
    tries = [0] * site.boards
    online, connects = [], []
    while coming:
        now, board, failures = heapq.heappop(coming)
        tries[board] += 1
        connects.append(now)
        free = max(free, now)
        if free - now > site.backlog:
            failed = now + _TRIP_S
        else:
            free += 1 / site.capacity
            lost = now < site.loss_s and chance.random() < site.loss
            if not lost and free - now <= _ANSWER_S:
                online.append(free)
                continue
            failed = now + _ANSWER_S
        wait = wait_ms(failures + 1, _SOON) / 1000
        heapq.heappush(coming, (failed + wait, board, failures + 1))
    online.sort()
    per_second = _per_second(connects)
    first = int(spread) + 1
    return Result(
        spread=spread,
        half=online[len(online) // 2 - 1],
        most=online[len(online) * 99 // 100 - 1],
        all=online[-1],
        peak=max(per_second),
        peak_later=max(per_second[first:], default=0),
        connects_per_board=len(connects) / site.boards,
        most_connects=max(tries),
        connects=per_second,
        online=_sums(_per_second(online)),
    )


def _per_second(times: list[float]) -> list[int]:
    counts = [0] * (int(max(times)) + 1)
    for time in times:
        counts[int(time)] += 1
    return counts


def _sums(counts: list[int]) -> list[int]:
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(total)
    return sums


# --- what comes out -----------------------------------------------------------------------------


def table(site: Site, results: list[Result]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{site.boards:,} boards, a cloud that takes {site.capacity:,} logins a second, "
        f"{site.loss:.0%} of its answers lost in the first {site.loss_s:g} s:",
        "",
        "| spread of the first try | half online | 99 % | all | most connects in a second "
        "| after the first tries | connects per board | most of one board |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines.append(
            f"| {f'{result.spread:g} s' if result.spread else 'none'} | {result.half:.0f} s "
            f"| {result.most:.0f} s | {result.all:.0f} s | {result.peak:,} "
            f"| {result.peak_later:,} | {result.connects_per_board:.1f} "
            f"| {result.most_connects} |"
        )
    return "\n".join(lines) + "\n"


def page(text: str, figures: str, begin: str = BEGIN) -> str:
    """The page's text with new figures behind `begin`."""
    head, _, rest = text.partition(begin)
    return f"{head}{begin}{figures}{END}{rest.partition(END)[2]}"
