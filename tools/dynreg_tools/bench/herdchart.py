"""The herd as a picture: boards online, and connects in each second, over time."""

from .curves import COLOURS, LEFT, Axis, Panel, key
from .drawing import Drawing
from .herd import Result, Site

_ONLINE, _CONNECTS, _BETWEEN = 160, 66, 34


def svg(site: Site, results: list[Result]) -> str:
    """Boards online as a curve for each spread; connects in a panel for each, on one scale."""
    drawing = Drawing(
        "Boards online, and connects per second, after a power cut of the site",
        f"{site.boards:,} boards boot within one second; the cloud takes {site.capacity:,} logins "
        "a second. One curve for each spread of the first try. The table of the page has the "
        "figures.",
    )
    end = -(-int(max(result.all for result in results)) // 100) * 100
    seconds = Axis(range(0, end + 1, 100 if end > 200 else 50 if end > 100 else 20))
    drawing.text(16, 30, "Boards online, %", bold=True)
    panel = Panel(drawing, 76, _ONLINE, seconds, Axis((0, 25, 50, 75, 100)))
    panel.grid(below="seconds after the power is back")
    for place, (result, colour) in enumerate(zip(results, COLOURS, strict=False)):
        key(drawing, 16 + 112 * place + 20 * bool(place), 56, _name(result), colour)
        share = [(at + 1, 100 * count / site.boards) for at, count in enumerate(result.online)]
        panel.curve([(0, 0), *share], colour, dashed=True)
    top = 76 + _ONLINE + 80
    drawing.text(16, top, "Connects in each second (logarithmic scale)", bold=True)
    drawing.text(16, top + 22, f"dashed: the {site.capacity:,} that the cloud takes", "muted")
    top += 60
    peak = max(result.peak for result in results)
    ticks = [10**power for power in range(0, len(str(peak - 1)) + 2, 2)]
    for result, colour in zip(results, COLOURS, strict=False):
        name = "no spread" if not result.spread else f"first tries spread over {result.spread:g} s"
        drawing.text(LEFT, top - 9, name)
        panel = Panel(drawing, top, _CONNECTS, seconds, Axis(ticks, logarithmic=True))
        panel.grid(below="seconds after the power is back" if result is results[-1] else None)
        panel.level(site.capacity)
        counts = [*result.connects, 0]
        panel.curve([(at + 0.5, count or 1) for at, count in enumerate(counts)], colour, False)
        top += _CONNECTS + _BETWEEN
    drawing.height = top + 26
    return drawing.svg()


def _name(result: Result) -> str:
    return f"{result.spread:g} s" if result.spread else "no spread"
