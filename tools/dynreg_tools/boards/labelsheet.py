"""Labels as a PDF with a page for each, and these pages as pictures. Needs the extra "labels"."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pypdfium2
import segno
from fpdf import FPDF
from PIL import Image, ImageOps

from . import labels
from .labels import POINT, QUIET, Label, Layout, Paper

Matrix = tuple[bytearray, ...]  # of a code's rows, 1 for a dark module
_FONT = "Courier"  # one of those that every PDF reader has; all its characters are as wide
_ASCENT = 0.8  # of a line's height above its base line


def pdf(made: list[Label], paper: Paper) -> bytes:
    """A page of the paper's size for each label. BoardError where one has no room."""
    size = (paper.width, paper.height)
    document = FPDF(orientation="portrait", unit="mm", format=size)
    document.set_auto_page_break(False)
    document.set_margin(0)
    document.set_creator("dynreg")
    document.set_font(_FONT, "B")
    for label in made:
        _page(document, label, paper)
    return bytes(document.output())


def pictures(made: list[Label], paper: Paper) -> list[bytes]:
    """A PNG of each page, black and white, a pixel for each of the printer's dots."""
    paper = paper.whole
    scale: Any = paper.dpi / 72  # typed as int, and a float by its documentation
    document = pypdfium2.PdfDocument(pdf(made, paper))
    try:
        return [
            _png(page.render(scale=scale, grayscale=True).to_pil(), *_placed(label, paper), paper)
            for label, page in zip(made, document, strict=True)
        ]
    finally:
        document.close()


def _png(page: Image.Image, matrix: Matrix, placed: Layout, paper: Paper) -> bytes:
    black = page.convert("1", dither=Image.Dither.NONE)
    # The code once more: PDFium draws some of its edges a pixel beside their place.
    code = Image.new("1", (len(matrix), len(matrix)))
    code.putdata([255 * (not dark) for row in matrix for dark in row])
    code = ImageOps.expand(code, QUIET, 255)
    side = round(placed.module / paper.dot) * code.width
    left, top = (round(at / paper.dot) for at in placed.code)
    black.paste(code.resize((side, side), Image.Resampling.NEAREST), (left, top))
    data = io.BytesIO()
    black.save(data, "PNG", dpi=(paper.dpi, paper.dpi))
    return data.getvalue()


def _placed(label: Label, paper: Paper) -> tuple[Matrix, Layout]:
    matrix = segno.make_qr(label.text, error="m").matrix
    return matrix, labels.layout(label, len(matrix), paper)


def _page(document: FPDF, label: Label, paper: Paper) -> None:
    matrix, placed = _placed(label, paper)
    document.add_page()
    left, top = (at + QUIET * placed.module for at in placed.code)
    for row, modules in enumerate(matrix):
        for first, length in _runs(modules):
            x, y = left + first * placed.module, top + row * placed.module
            document.rect(x, y, length * placed.module, placed.module, style="F")
    for line in placed.lines:
        document.set_font_size(line.points)
        document.text(line.left, line.top + _ASCENT * line.points * POINT, line.text)


def _runs(modules: bytearray) -> Iterator[tuple[int, int]]:
    """(first, how many) of the dark modules that stand side by side."""
    at = 0
    while at < len(modules):
        length = 0
        while at + length < len(modules) and modules[at + length]:
            length += 1
        if length:
            yield at, length
        at += length + 1
