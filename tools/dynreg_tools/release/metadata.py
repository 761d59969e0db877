"""What PyPI will show: judged by its own tools, and read as it reads it."""

from __future__ import annotations

import re
from email.parser import HeaderParser
from html.parser import HTMLParser
from pathlib import Path

from .places import Place
from .steps import ReleaseError

_RATING = re.compile(r"Final rating: (\d+)/10")


class _Links(HTMLParser):
    """The targets of all links and pictures of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found += [value or "" for name, value in attrs if name in ("href", "src", "srcset")]


def says(text: str, version: str) -> str:
    """ReleaseError where the metadata, METADATA or PKG-INFO, has another version or no licence."""
    found = HeaderParser().parsestr(text)
    wanted = {"Version": version, "License-Expression": "MIT", "License-File": "LICENSE"}
    for name, value in wanted.items():
        if found[name] != value:
            raise ReleaseError(f"the metadata says {name} {found[name]}, not {value}")
    return version


def relative_links(html: str) -> list[str]:
    """Of a rendered page the links and pictures that lead nowhere outside a clone."""
    links = _Links()
    links.feed(html)
    return [link for link in links.found if not re.match(r"https://|mailto:|#", link)]


def judged(tools: Place, wheel: Path, sdist: Path, text: str) -> str:
    """twine and pyroma have nothing to say, and the page's links lead somewhere."""
    tools.run(tools.python, "-m", "twine", "--no-color", "check", "--strict", wheel, sdist)
    said = tools.run(tools.python, "-m", "pyroma", "--min=10", sdist, accepted=(0, 2))
    rating = _RATING.search(said)
    if not rating or rating[1] != "10":
        raise ReleaseError(f"pyroma: {' '.join(said.split())}")
    page = tools.folder / "README.md"
    page.write_text(str(HeaderParser().parsestr(text).get_payload()), "utf-8")
    html = page.with_suffix(".html")
    tools.run(tools.python, "-m", "readme_renderer", page, "-o", html)
    relative = relative_links(html.read_text("utf-8"))
    if relative:
        raise ReleaseError(f"the long description leads nowhere on PyPI: {', '.join(relative)}")
    return "twine finds nothing, pyroma gives 10 of 10, every link of the page is whole"
