"""The pages of the project as tests read them: code blocks, code spans, headings, links.

All Markdown files at the root and in docs/, examples/ and firmware/, in every language.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from dynreg_tools.sources import ROOT

PAGES = sorted(
    path
    for folder in ("", "docs", "examples", "firmware")
    for path in (ROOT / folder).glob("*.md")
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SHELLS = ("", "sh", "bash", "console")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def name(page: Path) -> str:
    """The page's path in the project, for messages."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Code:
    """A piece of code on a page; span: within a sentence, where it may be a name alone."""

    page: str
    text: str
    span: bool = False


def fences(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, without their indent."""
    found = _FENCE.findall(page.read_text("utf-8"))
    return [dedent(text) for _, kind, text in found if kind == language]


def _parts(text: str) -> tuple[list[str], list[str]]:
    """The lines outside of fenced blocks: of text, and of indented code blocks.

    Four spaces make code only after an empty line: else it is a list item that goes on.
    """
    prose: list[str] = []
    blocks: list[str] = []
    code = empty = False
    unfenced = _FENCE.sub(lambda block: "\n" * block[0].count("\n"), text)
    for line in unfenced.splitlines():
        if line.strip():
            code = line.startswith("    ") and (empty or code)
            (blocks if code else prose).append(line)
        else:
            prose.append("")
        empty = not line.strip()
    return prose, blocks


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return "\n".join(_parts(page.read_text("utf-8"))[0])


def lines(page: Path, heading: str = "") -> list[str]:
    """The lines of indented code blocks and of fenced ones that are in no language or a shell's.

    heading: those below this heading of the second level alone. A line that ends with a backslash
    is one with the next; prompts are left out.
    """
    text = page.read_text("utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    shell = [dedent(body) for _, kind, body in _FENCE.findall(text) if kind in SHELLS]
    found = re.sub(r"\\\n *", "", "\n".join([*shell, *_parts(text)[1]])).splitlines()
    return [line.strip().removeprefix("$ ") for line in found]


def spans(page: Path) -> list[str]:
    """What stands in backticks within sentences and tables."""
    return [re.sub(r"\s+", " ", text) for text in _SPAN.findall(prose(page))]


def code(page: Path) -> list[Code]:
    """Lines of blocks, and spans."""
    return [
        *(Code(name(page), line) for line in lines(page)),
        *(Code(name(page), text, span=True) for text in spans(page)),
    ]


def anchors(page: Path) -> set[str]:
    """What a link may name after '#': an id, or what GitHub makes of headings."""
    text = prose(page)
    found = set(re.findall(r"<a id=\"([^\"]+)\">", text))
    for heading in re.findall(r"(?m)^#{1,6} +(.*)$", text):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)|</?a\b[^>]*>", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        number = 0
        while (slug if not number else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if not number else f"{slug}-{number}")
    return found


def links(page: Path) -> list[str]:
    """The targets of links and pictures within the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    targets += re.findall(r"(?:src|srcset|href)=\"([^\"\s]+)\"", prose(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]
