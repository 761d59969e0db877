"""Curves over a common axis, for pictures of what changes with time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from .drawing import WIDTH, Drawing

LEFT, RIGHT = 70, 32  # what figures beside an axis take, and the half of the last one below it
_DASHES = {"orange": "", "blue": "8 3", "green": "2.5 3", "purple": "10 3 2.5 3"}
COLOURS = tuple(_DASHES)


@dataclass(frozen=True)
class Axis:
    """From ticks[0] to ticks[-1]; what lies beyond is drawn at the end."""

    ticks: Sequence[float]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """0 to 1."""
        low, high = self.ticks[0], self.ticks[-1]
        value = min(max(value, low), high)
        if self.logarithmic:
            low, high, value = log10(low), log10(high), log10(value)
        return (value - low) / (high - low)


@dataclass(frozen=True)
class Panel:
    """A place in a drawing, with its axes."""

    drawing: Drawing
    top: float
    height: float
    x: Axis
    y: Axis

    def grid(self, below: str | None = None, signed: bool = False) -> None:
        """Lines with figures; below: what the axis of x says, None for no figures there."""
        for tick in self.y.ticks:
            y = self._y(tick)
            line = f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}"
            self.drawing.shape("path", None, "rule", d=line, classes="grid")
            words = f"{tick:+,}" if signed and tick else f"{tick:,}"
            self.drawing.text(LEFT - 7, y + 5, words, "muted", anchor="end")
        if below is None:
            return
        for tick in self.x.ticks:
            x, foot = self._x(tick), self.top + self.height
            self.drawing.shape("path", None, "rule", d=f"M{x:.1f} {foot}v5", classes="grid")
            self.drawing.text(x, foot + 20, f"{tick:,}", "muted", anchor="middle")
        middle = (LEFT + WIDTH - RIGHT) / 2
        self.drawing.text(middle, self.top + self.height + 40, below, "muted", anchor="middle")

    def level(self, value: float) -> None:
        """A dashed line across, for a value to compare with."""
        line = f"M{LEFT} {self._y(value):.1f}H{WIDTH - RIGHT}"
        self.drawing.shape("path", None, "ink", d=line, stroke_dasharray="5 4")

    def curve(self, points: Sequence[tuple[float, float]], colour: str, dashed: bool) -> None:
        """A line through (x, y)s; dashed as key() shows it where others cross it."""
        places = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        dash = {"stroke_dasharray": _DASHES[colour]} if dashed and _DASHES[colour] else {}
        width = 2 if dashed else 1.5
        self.drawing.shape("polyline", None, colour, points=places, stroke_width=width, **dash)

    def _x(self, value: float) -> float:
        return LEFT + self.x.at(value) * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        return self.top + (1 - self.y.at(value)) * self.height


def key(drawing: Drawing, x: float, y: float, words: str, colour: str) -> None:
    """A piece of a curve, and what it stands for; y is the base line."""
    dash = {"stroke_dasharray": _DASHES[colour]} if _DASHES[colour] else {}
    drawing.shape("path", None, colour, d=f"M{x} {y - 5}h30", stroke_width=2, **dash)
    drawing.text(x + 36, y, words)
