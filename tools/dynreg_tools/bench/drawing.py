"""A picture as SVG: text that stays text, on a ground of its own, for light and dark pages.

The light colours are attributes, which every renderer knows; the dark ones are classes behind
`@media (prefers-color-scheme: dark)`. The ground is part of the picture, so that it is readable
also where a page is dark and the reader's system is not.
"""

import json
from typing import Any
from xml.etree import ElementTree

WIDTH = 480  # at 328 px, what a phone of 360 px leaves of a page, 15 px of text are 10 px
SIZE = 15
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
# name: on light, on dark. The four of curves and bars are told apart by the colour-blind as well.
COLOURS = {
    "page": ("#ffffff", "#0d1117"),
    "card": ("#f3f5f8", "#1b222b"),
    "ink": ("#1f2328", "#e6edf3"),
    "muted": ("#59636e", "#9da7b1"),
    "rule": ("#c4ccd4", "#444c56"),
    "blue": ("#0072b2", "#56b4e9"),
    "orange": ("#a65300", "#f0a030"),
    "green": ("#00795a", "#2fc9a0"),
    "purple": ("#a3387f", "#e08fc2"),
}
_NAMESPACE = "http://www.w3.org/2000/svg"


class Drawing:
    """One picture; svg() is its text. The height may be set last."""

    def __init__(
        self,
        title: str,
        description: str,
        height: float = 0,
        width: float = WIDTH,
        lang: str = "en",
    ) -> None:
        """title and description are what a screen reader says."""
        self.title, self.description = title, description
        self.width, self.height, self.lang = width, height, lang
        self.css = ""  # more of it
        self.data: Any = None  # what it was drawn from, kept in it as JSON
        self._open = [ElementTree.Element("svg")]
        self._used: set[tuple[str, str]] = set()

    def shape(
        self, tag: str, fill: str | None = None, stroke: str | None = None, **attributes: Any
    ) -> ElementTree.Element:
        """Adds an element; fill and stroke are names of COLOURS, stroke_width is stroke-width."""
        element = ElementTree.Element(tag)
        classes = attributes.pop("classes", "").split()
        for key, value in attributes.items():
            element.set(key.replace("_", "-"), _number(value))
        for what, colour in (("fill", fill), ("stroke", stroke)):
            if colour:
                element.set(what, COLOURS[colour][0])
                self._used.add((what, colour))
                classes.append(f"{what}-{colour}")
        if tag in ("path", "polyline", "line") and not fill:
            element.set("fill", "none")
        if classes:
            element.set("class", " ".join(classes))
        self._open[-1].append(element)
        return element

    def begin(self, tag: str, **attributes: Any) -> None:
        """A group, or an svg, which clips: what is added until end() is within it."""
        self._open.append(self.shape(tag, **attributes))

    def end(self) -> None:
        """Ends what begin() began."""
        self._open.pop()

    def text(
        self, x: float, y: float, words: str, fill: str = "ink", **attributes: Any
    ) -> ElementTree.Element:
        """One line of text, y its base line; anchor="middle" or "end", bold=True, size=…."""
        if anchor := attributes.pop("anchor", None):
            attributes["text-anchor"] = anchor
        if attributes.pop("bold", False):
            attributes["font-weight"] = "600"
        if size := attributes.pop("size", None):
            attributes["font-size"] = size
        element = self.shape("text", fill, x=x, y=y, **attributes)
        element.text = words
        return element

    def svg(self) -> str:
        """The whole as XML, with its title, its colours for dark pages and its data."""
        ground = {"x": 0.5, "y": 0.5, "width": self.width - 1, "height": self.height - 1}
        self.shape("rect", "page", "rule", **ground, rx=6)
        (shapes,) = self._open
        dark = "".join(
            f".{what}-{colour}{{{what}:{COLOURS[colour][1]}}}"
            for what, colour in sorted(self._used)
        )
        root = ElementTree.Element(
            "svg",
            {
                "xmlns": _NAMESPACE,
                "viewBox": f"0 0 {_number(self.width)} {_number(self.height)}",
                "width": _number(self.width),
                "height": _number(self.height),
                "role": "img",
                "aria-labelledby": "title description",
                "xml:lang": self.lang,
                "font-family": FONT,
                "font-size": str(SIZE),
            },
        )
        ElementTree.SubElement(root, "title", id="title").text = self.title
        ElementTree.SubElement(root, "desc", id="description").text = self.description
        if self.data is not None:
            ElementTree.SubElement(root, "metadata").text = json.dumps(self.data)
        style = f"@media (prefers-color-scheme:dark){{{dark}}}{self.css}"
        ElementTree.SubElement(root, "style").text = style
        root.extend([shapes[-1], *shapes[:-1]])
        ElementTree.indent(root, "")
        return ElementTree.tostring(root, "unicode") + "\n"


def data_of(svg: str) -> Any:
    """What a picture was drawn from, out of the picture; SyntaxError or ValueError without it."""
    return json.loads(ElementTree.fromstring(svg).findtext(f"{{{_NAMESPACE}}}metadata") or "")


def _number(value: Any) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
