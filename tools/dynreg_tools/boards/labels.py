"""What stands on a board's label, and where: pure arithmetic, so that it can be tried at any size.

A label has the device name, the MAC and a QR code of "PRODUCTID/device-name"; never a secret. One
for the access point of services/setup has that one's name, password and QR code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .batch import Batch
from .errors import BoardError
from .report import GOOD

MM, POINT = 25.4, 25.4 / 72  # an inch and a point, in mm
MARGIN = 1.5  # mm; label printers are no more exact than that
LARGEST, LARGEST_MAC, SMALLEST = 12.0, 9.0, 6.0  # points; less than that nobody reads
_STEP = 0.5
CHARACTER = 0.6  # of Courier, a character's width in its height
LINE = 1.15  # from line to line
QUIET = 4  # modules of white around a QR code (ISO/IEC 18004)
LEAST_MODULE = 0.25  # mm; a telephone's camera needs about that
_SIDE_BY_SIDE = 1.3  # from this width to height on, the text stands beside the code
_CODE_PART = 0.48  # of the width, or of the height, at most

_NAME = re.compile(r"[A-Za-z0-9:_-]{1,48}")  # as the cloud allows
_PRODUCT = re.compile(r"[A-Za-z0-9]{1,32}")
_MAC = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class Label:
    """A board, as its label names it."""

    product: str
    device: str
    mac: str

    @property
    def text(self) -> str:
        """What its QR code says."""
        return f"{self.product}/{self.device}"

    @property
    def lines(self) -> tuple[str, str]:
        """What stands beside it: as large as it goes, and smaller."""
        return self.device, self.mac


@dataclass(frozen=True)
class WifiLabel(Label):
    """Of a board's access point: a telephone's camera joins it."""

    network: str
    password: str = field(repr=False)

    @property
    def text(self) -> str:
        name, password = (re.sub(r'([\\;,:"])', r"\\\1", t) for t in (self.network, self.password))
        return f"WIFI:T:WPA;S:{name};P:{password};;"

    @property
    def lines(self) -> tuple[str, str]:
        return self.network, self.password


def of_rows(
    rows: Iterable[dict[str, Any]], product: str | None, every: bool
) -> tuple[list[Label], list[str]]:
    """The labels of a report's rows, and one sentence for each board that can have none.

    product: for rows that name none, of an earlier edition. every: also of boards that failed.
    """
    labels, without = [], []
    for row in rows:
        if row["outcome"] != GOOD and not every:
            continue
        label = Label(row.get("product") or product or "", row["device"] or "", row["mac"] or "")
        place = f"the board {label.mac or 'at ' + str(row['port'])}"
        if not label.device:
            without.append(f"{place} has no device name in the report: provision it first")
        elif not (_NAME.fullmatch(label.device) and _MAC.fullmatch(label.mac)):
            without.append(f"{place} has no device name and MAC as a board has: correct the row")
        elif not _PRODUCT.fullmatch(label.product):
            without.append(f"{place} has no product id in the report: name --device-info")
        else:
            labels.append(label)
    return labels, without


def of_network(label: Label, batch: Batch) -> WifiLabel:
    """The same board's, of its access point. BoardError where it has none that can be printed."""
    network, password = batch.access_point(label.device, label.mac)
    if not all(" " <= char <= "~" for char in network + password):
        raise BoardError(
            "config", f"{batch.path}: setup: a label has only the characters of ASCII: use these"
        )
    return WifiLabel(label.product, label.device, label.mac, network, password)


@dataclass(frozen=True)
class Paper:
    """One label's size in mm, and the printer's dots an inch."""

    width: float
    height: float
    dpi: int

    @property
    def dot(self) -> float:
        return MM / self.dpi

    def dots(self, mm: float) -> int:
        """So many whole dots are in it."""
        return int(mm / self.dot + 1e-6)

    @property
    def whole(self) -> Paper:
        """The same in whole dots, as a picture has them."""
        width, height = (round(side / self.dot) for side in (self.width, self.height))
        return Paper(width * self.dot, height * self.dot, self.dpi)

    def __str__(self) -> str:
        return f"{round(self.width, 1):g}x{round(self.height, 1):g} mm"


@dataclass(frozen=True)
class Line:
    """A line of text, its height in points, its left upper corner in mm."""

    text: str
    points: float
    left: float
    top: float


@dataclass(frozen=True)
class Layout:
    """Where things are: the left upper corner of the code's white border and the width of one of
    its modules, in mm; the lines of name and MAC."""

    code: tuple[float, float]
    module: float
    lines: tuple[Line, ...]


def layout(label: Label, modules: int, paper: Paper) -> Layout:
    """modules: the code's width without its border. BoardError where there is no room."""
    beside = paper.width >= _SIDE_BY_SIDE * paper.height
    wide, high = paper.width - 2 * MARGIN, paper.height - 2 * MARGIN
    most = min(_CODE_PART * paper.width, high) if beside else min(wide, _CODE_PART * paper.height)
    total = modules + 2 * QUIET
    module = paper.dots(most / total) * paper.dot
    if module < LEAST_MODULE:
        raise _no_room(paper, f"the QR code of {label.device}")
    side = module * total
    edge = paper.dots(MARGIN) * paper.dot
    # The border is white, so the text may stand close to it.
    if beside:
        code = edge, paper.dots((paper.height - side) / 2) * paper.dot
        left, top, wide = edge + side, MARGIN, paper.width - MARGIN - edge - side
    else:
        code = paper.dots((paper.width - side) / 2) * paper.dot, edge
        left, top, high = MARGIN, edge + side, paper.height - MARGIN - edge - side
    texts = _texts(label, wide, high)
    if not texts:
        raise _no_room(paper, f"{label.device} in letters of {SMALLEST:g} points")
    top += (high - sum(_height(points) for _, points in texts)) / 2
    lines = []
    for text, points in texts:
        lines.append(Line(text, points, left, top))
        top += _height(points)
    return Layout(code, module, tuple(lines))


def _texts(label: Label, wide: float, high: float) -> list[tuple[str, float]]:
    """Lines and their points: the second in one if it can be, the first as large as can be."""
    large, small = label.lines
    for_small = next(
        (size for size in _sizes(LARGEST_MAC) if _columns(wide, size) >= len(small)), SMALLEST
    )
    for size in _sizes(LARGEST):
        texts = [
            (text, points)
            for whole, points in ((large, size), (small, min(size, for_small)))
            for text in broken(whole, _columns(wide, points))
        ]
        if sum(_height(points) for _, points in texts) <= high:
            return texts
    return []


def _sizes(largest: float) -> Iterator[float]:
    size = largest
    while size >= SMALLEST:
        yield size
        size -= _STEP


def _columns(wide: float, points: float) -> int:
    return max(1, int(wide / (CHARACTER * points * POINT) + 1e-6))


def _height(points: float) -> float:
    return LINE * points * POINT


def broken(text: str, columns: int) -> list[str]:
    """Lines of at most so many characters, broken behind a mark where there is one."""
    lines = []
    while len(text) > columns:
        marks = [text.rfind(mark, 0, columns) + 1 for mark in ":_-"]
        at = max(marks) if max(marks) > columns // 2 else columns
        lines.append(text[:at])
        text = text[at:]
    return [*lines, text]


def _no_room(paper: Paper, what: str) -> BoardError:
    size = f"{paper.width:g}x{paper.height:g} mm"
    return BoardError(
        "argument", f"a label of {size} has no room for {what}: give a larger --size"
    )
