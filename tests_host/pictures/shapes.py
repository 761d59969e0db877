"""What several pictures have."""

from dynreg_tools.bench.drawing import Drawing


class PictureError(Exception):
    """A picture cannot be drawn; the message is one sentence that says why."""


def arrow(drawing: Drawing, colour: str, x1: float, y1: float, x2: float, y2: float) -> None:
    """A line from one point to another that is beside or below it, with its head."""
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    line = f"M{x1} {y1}L{x2 - 8 * dx} {y2 - 8 * dy}"
    drawing.shape("path", None, colour, d=line, stroke_width=2)
    base = (x2 - 11 * dx, y2 - 11 * dy)
    corners = [f"{base[0] + 6 * side * dy},{base[1] + 6 * side * dx}" for side in (1, -1)]
    drawing.shape("polygon", colour, points=f"{x2},{y2} {' '.join(corners)}")
