"""The figures as an SVG of bars, readable on light and dark pages alike."""

from html import escape

from .report import kib, labels
from .wire import BOOTS

_WIDTH, _LABEL, _RIGHT = 760, 270, 60
_BAR, _GAP, _TITLE = 13, 12, 40
_WORDS = {"rtt": "{:.1f}".format, "min_heap_kib": kib}
_STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .title { font-weight: 600 } .first { fill: #0969da } .warm { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 }
    .first { fill: #58a6ff } .warm { fill: #f0883e }
  }
"""


def svg(results: dict) -> str:
    """Round trips, bytes and smallest heap of each client, first and warm boot, as one picture."""
    link, clients, every = results["link"], results["clients"], results["memory"]
    panels = [
        (f"Round trips at {link.get('rtt_ms', 0):g} ms, to the clock set", "rtt", clients),
        ("Bytes on the link, both ways", "bytes", clients),
    ]
    for label, found in zip(labels(every), every, strict=True):
        panels.append((f"Smallest heap, KiB ({label})", "min_heap_kib", found["clients"]))
    shown = [(title, key, _rows(clients, boots, key)) for title, key, boots in panels]
    # Bars of the same key are drawn to the same scale: 32 bits beside 64.
    most: dict[str, float] = {}
    for _, key, rows in shown:
        most[key] = max([most.get(key, 0), *(value for _, values in rows for value in values)])
    parts, top = _legend(), 40
    for title, key, rows in shown:
        if rows:
            parts.append(f'<text class="title" x="16" y="{top + 16}">{escape(title)}</text>')
            bars, top = _panel(rows, key, most[key], top + _TITLE - 12)
            parts += bars
            top += _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img" '
        f'aria-label="Cost of a boot, by client">\n<style>{_STYLE}</style>\n'
        f'<rect class="page" width="{_WIDTH}" height="{top}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _rows(clients: dict, boots: dict, key: str) -> list[tuple[str, list]]:
    """Title, first and warm boot's value of each client that has both."""
    rows = [
        (client["title"], [boots[name][kind].get(key) for kind in BOOTS])
        for name, client in clients.items()
        if name in boots
    ]
    return [row for row in rows if None not in row[1]]


def _legend() -> list[str]:
    return [
        f'<rect class="{name}" x="{x}" y="14" width="12" height="12"/>'
        f'<text x="{x + 18}" y="25">{name} boot</text>'
        for name, x in (("first", 16), ("warm", 116))
    ]


def _panel(rows: list[tuple[str, list]], key: str, most: float, top: int) -> tuple[list[str], int]:
    """The bars of one panel, the longest of which would be of `most`, and where it ends."""
    scale = (_WIDTH - _LABEL - _RIGHT) / most
    parts = []
    for title, values in rows:
        middle = top + _BAR + 4
        parts.append(f'<text x="16" y="{middle}">{escape(title)}</text>')
        for name, value in zip(("first", "warm"), values, strict=True):
            width = value * scale
            words = _WORDS.get(key, str)(value)
            place = f'x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}"'
            parts.append(f'<rect class="{name}" {place}/>')
            parts.append(f'<text x="{_LABEL + width + 6:.1f}" y="{top + 11}">{words}</text>')
            top += _BAR + 1
        top += _GAP
    return parts, top
