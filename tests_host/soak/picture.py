"""The heap's curve as a small SVG that is readable on a light and on a dark page."""

from .run import SLACK, Result

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 28, 36
_COLOURS = ("#2f81f7", "#d2761b")  # on white and on black alike
_INK = "#808080"


def svg(results: list[Result]) -> str:
    """One curve for each result: bytes of heap after gc.collect() against steps."""
    heaps = [point.heap for result in results for point in result.points]
    middle = (min(heaps) + max(heaps)) / 2
    span = max(max(heaps) - min(heaps), 16 * SLACK) * 1.2
    steps = max(result.steps for result in results)

    def x(step):
        return _LEFT + step / steps * (_WIDTH - _LEFT - _RIGHT)

    def y(heap):
        return _TOP + (middle + span / 2 - heap) / span * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f'<text x="{_LEFT}" y="16">bytes of heap in use after gc.collect()</text>',
    ]
    step = _round(span / 4)
    heap = -(-(middle - span / 2) // step) * step
    while heap <= middle + span / 2:
        parts.append(
            f'<path d="M{_LEFT} {y(heap):.1f}H{_WIDTH - _RIGHT}" stroke="{_INK}" opacity=".3"/>'
            f'<text x="{_LEFT - 6}" y="{y(heap) + 4:.1f}" text-anchor="end">{heap:.0f}</text>'
        )
        heap += step
    for part in range(5):
        at = steps * part // 4
        anchor = "middle" if part < 4 else "end"
        parts.append(
            f'<text x="{x(at):.1f}" y="{_HEIGHT - 18}" text-anchor="{anchor}">{at}</text>'
        )
    for place, result in enumerate(results):
        colour = _COLOURS[place % len(_COLOURS)]
        points = " ".join(f"{x(p.step):.1f},{y(p.heap):.1f}" for p in result.points)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            f'<text x="{_LEFT + 200 * place}" y="{_HEIGHT - 3}" fill="{colour}">{result.tls}, '
            f"{result.disconnects} disconnects</text>"
        )
    return "\n".join(parts) + "\n</svg>\n"


def _round(value):
    """The largest of 1, 2, 5, 10, 20, … that is not above value."""
    ten = 10 ** (len(str(int(value))) - 1)
    return max(ten * digit for digit in (1, 2, 5) if ten * digit <= value)
