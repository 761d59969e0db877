"""The herd: after a power cut of a whole site all boards boot in the same second.

    ./dev herd                  a table: how long until all are online, and at what peak
    ./dev herd --json           the same as one JSON object
    ./dev herd --write          docs/herd.svg, and the figures in docs/herd.md

Each board tries, and waits, as the library does: CONNECT with 10 s for its answer, then what
lib/dynreg's own backoff.py says. Time is a queue of events, chance is seeded: the same each time.
"""

import argparse
import heapq
import json
import random
import sys
from dataclasses import asdict, dataclass
from math import log10
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "herd.md", ROOT / "docs" / "herd.svg"
SPREADS = (0, 30, 60, 120)
BEGIN, END = "<!-- figures of ./dev herd --write -->\n", "<!-- end of the figures -->"
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
    connects: list
    online: list


def backoff():
    """The library's own back-off, lib/dynreg/connect/backoff.py."""
    for folder in ("lib", "tests_host/shims"):
        if str(ROOT / folder) not in sys.path:
            sys.path.append(str(ROOT / folder))
    from dynreg.connect import backoff

    return backoff


_SOON = SimpleNamespace(retry=True)  # an error of the way to the cloud


def run(site: Site, spread: float = 0) -> Result:
    """One site with a first try at any time within `spread` seconds after the boot."""
    chance = random.Random(site.seed)
    library = backoff()
    real, library.port = library.port, SimpleNamespace(random_bytes=chance.randbytes)
    try:
        return _run(site, spread, chance, library.wait_ms)
    finally:
        library.port = real


def _run(site, spread, chance, wait_ms):
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


def _per_second(times):
    counts = [0] * (int(max(times)) + 1)
    for time in times:
        counts[int(time)] += 1
    return counts


def _sums(counts):
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


def page(text: str, figures: str) -> str:
    """The page's text with new figures."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}{figures}{END}{rest.partition(END)[2]}"


_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _FOOT = 720, 200, 70, 16, 58, 46
_INK = "#808080"  # readable on white and on black alike, as are the colours
_COLOURS = ("#d2761b", "#2f81f7", "#2da44e", "#a371f7", "#808080")


def svg(site: Site, results: list[Result]) -> str:
    """Boards online, and connects in a second, over time: one curve for each spread."""
    end = max(60, -(-int(max(result.most for result in results) * 1.2) // 60) * 60)
    height = _TOP + 2 * (_PANEL + _FOOT)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        "<title>Boards online and connects per second after a power cut of the site</title>",
    ]
    for place, result in enumerate(results):
        x = _LEFT + 150 * place
        name = f"spread {result.spread:g} s" if result.spread else "no spread"
        parts.append(
            f'<rect x="{x}" y="10" width="12" height="12" fill="{_COLOURS[place]}"/>'
            f'<text x="{x + 18}" y="20">{name}</text>'
        )
    share = [[100 * count / site.boards for count in result.online] for result in results]
    parts += _panel("boards online, %", share, [0, 25, 50, 75, 100], lambda v: v / 100, _TOP, end)
    most = max(result.peak for result in results)
    ticks = [10**power for power in range(len(str(most)) + (most > 10 ** (len(str(most)) - 1)))]
    top = len(ticks) - 1
    parts += _panel(
        "connects in each second (logarithmic); dashed: what the cloud can take",
        [result.connects for result in results],
        ticks,
        lambda v: log10(max(v, 1)) / top,
        _TOP + _PANEL + _FOOT,
        end,
    )
    y = _TOP + _PANEL + _FOOT + _PANEL * (1 - log10(site.capacity) / top)
    parts.append(
        f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_INK}" stroke-dasharray="6 4"/>'
    )
    return "\n".join(parts) + "\n</svg>\n"


def _panel(title, curves, ticks, scale, top, end):
    across = (_WIDTH - _LEFT - _RIGHT) / end
    parts = [f'<text x="{_LEFT}" y="{top - 10}">{title}</text>']
    for tick in ticks:
        y = top + _PANEL * (1 - scale(tick))
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_INK}" opacity=".3"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,}</text>'
        )
    for part in range(6):
        at = end * part / 5
        parts.append(
            f'<text x="{_LEFT + at * across:.1f}" y="{top + _PANEL + 16}" '
            f'text-anchor="{"end" if part == 5 else "middle"}">{at:g} s</text>'
        )
    # Drawn from the last to the first, so that the case without a spread lies on top.
    for place in reversed(range(len(curves))):
        values = (curves[place] + [curves[place][-1] if ticks[-1] == 100 else 0] * end)[: end + 1]
        points = " ".join(
            f"{_LEFT + second * across:.1f},{top + _PANEL * (1 - scale(value)):.1f}"
            for second, value in enumerate(values)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLOURS[place]}" '
            'stroke-width="1.3"/>'
        )
    return parts


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./dev herd", description=__doc__.split("\n")[0])
    parser.add_argument("--boards", type=int, default=Site.boards)
    parser.add_argument("--capacity", type=int, default=Site.capacity, help="logins a second")
    parser.add_argument("--backlog", type=float, default=Site.backlog, help="seconds")
    parser.add_argument("--loss", type=float, default=Site.loss, help="share of the answers")
    parser.add_argument("--loss-s", type=float, default=Site.loss_s, help="for so many seconds")
    parser.add_argument("--seed", type=int, default=Site.seed)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", action="store_true", help="docs/herd.svg and docs/herd.md")
    options = vars(parser.parse_args(arguments))
    as_json, write = options.pop("json"), options.pop("write")
    site = Site(**options)
    results = [run(site, spread) for spread in SPREADS]
    figures = table(site, results)
    if write:
        PICTURE.write_text(svg(site, results), "utf-8")
        PAGE.write_text(page(PAGE.read_text("utf-8"), figures), "utf-8")
    if as_json:
        print(json.dumps({"site": asdict(site), "results": [asdict(r) for r in results]}))
    else:
        print(figures, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
