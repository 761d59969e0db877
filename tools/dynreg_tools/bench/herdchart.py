"""The herd as a picture: boards online, and connects in a second, over time, as SVG."""

from collections.abc import Callable, Sequence
from math import log10

from .herd import Result, Site

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


def _panel(
    title: str,
    curves: Sequence[Sequence[float]],
    ticks: Sequence[float],
    scale: Callable[[float], float],
    top: float,
    end: int,
) -> list[str]:
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
        values = ([*curves[place]] + [curves[place][-1] if ticks[-1] == 100 else 0] * end)[
            : end + 1
        ]
        points = " ".join(
            f"{_LEFT + second * across:.1f},{top + _PANEL * (1 - scale(value)):.1f}"
            for second, value in enumerate(values)
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLOURS[place]}" '
            'stroke-width="1.3"/>'
        )
    return parts
