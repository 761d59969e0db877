"""What a page and its translation share, and the first place where they differ.

Both are read with a Markdown parser into blocks (heading, paragraph, cell of a table, code). Each
block has the same kind in both pages, and in it the same code spans, link targets, figures and
names; the words are the translator's. What stands between "<!-- zh-CN only -->" and "<!-- end -->"
is for the readers of the translation alone.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

from tests_host.pages import anchors

_CHINESE = ".zh-CN"
SUFFIX = f"{_CHINESE}.md"
ONLY, END = "<!-- zh-CN only -->", "<!-- end -->"
# Cells that programs or readers compare: docs/errors.md, when a failed call is tried again.
CELLS = {
    "soon": "很快",
    "later": "稍后",
    "never": "不重试",
    "later or soon": "稍后或很快",
    "soon, then later": "先很快，后稍后",
}
_UNITS = {
    **dict.fromkeys(("s", "second", "seconds"), "秒"),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "毫秒"),
    **dict.fromkeys(("min", "minute", "minutes"), "分钟"),
    **dict.fromkeys(("h", "hour", "hours"), "小时"),
    **dict.fromkeys(("day", "days"), "天"),
    **dict.fromkeys(("byte", "bytes"), "字节"),
    **{unit: unit for unit in ("KB", "KiB", "MB", "MiB", "GB", "GHz", "%")},
}
_NUMBER = r"(?<![\w.])[-\u2212]?\d+(?:[.,:]\d+)*|\d+(?:[.,:]\d+)*"
_FIGURE = re.compile(rf"({_NUMBER})(?:[ -]?([A-Za-z]+|%|毫?秒|分钟|小时|天|字节))?")
_MONTHS = "January February March April May June July August September October November December"
_DATE = re.compile(rf"\b({_MONTHS.replace(' ', '|')}) (?=\d{{4}}\b)")
_COMMAND = re.compile(r"(?<!\w)'((?:\./dev|dynreg|pip|mpremote) [^']*)'")
_NAME = re.compile(r"(?:--|\.\.?/)?[A-Za-z_{$][\w{}$./:@*+-]*(?:\(\))?")
_HAN = "[\u3400-\u9fff]"
_STYLE = (
    (
        r"\*\*",
        "bold is shown as asterisks: its end stands between a punctuation mark and a letter",
    ),
    (
        rf"{_HAN}[A-Za-z0-9\0]|[A-Za-z0-9\0]{_HAN}",
        "a space is missing between Chinese and Latin text",
    ),
    (rf"{_HAN} ?[,;:!?()]|[,;:!?()] ?{_HAN}", "a punctuation mark beside Chinese is half-width"),
    (
        r"[，。；：！？、（）“”] | [，。；：！？、（）]",
        "a space stands beside full-width punctuation",
    ),
    (rf"{_HAN}  *{_HAN}", "a space stands within Chinese text"),
)


@dataclass
class Block:
    kind: str
    lines: tuple[int, int]  # as slices count them
    text: str = ""  # the prose, without code spans
    code: str = ""  # of a code block, without comments
    spans: Counter = field(default_factory=Counter)
    targets: Counter = field(default_factory=Counter)
    breaks: list[str] = field(default_factory=list)  # what stands on both sides of a line break

    @property
    def line(self):
        return self.lines[0] + 1

    @property
    def figures(self):
        """Numbers with their unit, months as numbers."""
        text = _DATE.sub(lambda d: f"{_MONTHS.split().index(d[1]) + 1} ", self.text)
        return Counter(
            f"{number} {_UNITS.get(unit, unit if unit in _UNITS.values() else '')}".strip()
            for number, unit in _FIGURE.findall(text)
        )

    @property
    def names(self):
        """Files, keys, options and calls that stand in the prose as they are."""
        text = self.text.replace(SUFFIX, ".md")
        found = (name.rstrip(".,:/-") for name in _NAME.findall(text))
        shape = r"^--\w|\w[_/]\w|\w\.(?!g\b)\w|^[a-z]+[A-Z]|[{$]|\(\)$"
        return {name for name in found if re.search(shape, name)}

    @property
    def capitals(self):
        """Abbreviations and products (TLS, MicroPython), without the s of the plural."""
        words = re.findall(r"\b[A-Z][a-z]*[A-Z0-9]\w*\b", self.text)
        return {word.removesuffix("s") for word in words}


def _attributes(html):
    return re.findall(r'(?:src|srcset|href|media|width)="([^"]*)"', html)


def _prose(block, token):
    """Puts a token of running text into its block."""
    parts = []
    for child in token.children:
        if child.type == "code_inline":
            block.spans[child.content] += 1
            parts.append("\0")
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "link_open":
            block.targets[str(child.attrs["href"])] += 1
        elif child.type == "image":
            block.targets[str(child.attrs["src"])] += 1
            parts.append(child.content)
        elif child.type == "html_inline":
            block.targets.update(_attributes(child.content))
        else:
            parts.append(child.content)
    text = "".join(parts)
    block.spans.update(_COMMAND.findall(text))
    text = _COMMAND.sub("\0", text)
    block.breaks = [text[at - 1 : at + 2] for at, char in enumerate(text) if char == "\n"]
    block.text = text.replace("\n", " ")


def _code(block, content):
    """The commands or the program; comments are prose."""
    comments = re.findall(r"(?m)(?:^|\s)#(.*)$", content)
    block.text = "\n".join(comments)
    block.code = re.sub(r"(?m)(?:^|[ \t]+)#.*$", "", content)


def blocks(text):
    """The blocks of a page, in order."""
    found, path, lines, mine = [], [], (0, 0), False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        lines = tuple(token.map or lines)
        if token.type == "html_block" and token.content.strip() in (ONLY, END):
            mine = token.content.strip() == ONLY
        elif token.nesting == 1:
            path.append(token.tag)
        elif token.nesting == -1:
            path.pop()
        elif not mine:
            block = Block(" ".join([*path, token.type.removesuffix("_block")]), lines)
            if token.type == "inline":
                block.kind = " ".join(path)
                _prose(block, token)
            elif token.type in ("fence", "code_block"):
                block.kind += f" {token.info}".rstrip()
                _code(block, token.content)
            else:
                block.targets.update(_attributes(token.content))
                block.text = " ".join(re.findall(r'alt="([^"]*)"', token.content))
            found.append(block)
    return found


def _target(target, page: Path, other: Path):
    """Where a link leads, for both languages; what is wrong with it in the translation."""
    file, _, anchor = target.partition("#")
    if ":" in file:
        return target, ""
    path = (page.parent / file) if file else page
    twin = path if _CHINESE in path.name else path.with_name(f"{path.stem}{_CHINESE}{path.suffix}")
    same = file.replace(_CHINESE, "") + (f"#{anchor}" if anchor else "")
    if not page.name.endswith(SUFFIX) or path == other:
        return same, ""
    if path != twin and twin.exists():
        return same, f"the link to {file} leads past {twin.name}"
    if path.name.endswith(SUFFIX) and anchor and path.exists() and anchor not in anchors(path):
        return same, f'{path.name} has no <a id="{anchor}"></a>'
    return same, ""


def _unlike(what, english: Counter, chinese: Counter):
    parts = []
    if lost := english - chinese:
        parts.append(f"{what} missing: {', '.join(lost.elements())}")
    if more := chinese - english:
        parts.append(f"{what} that the English page has not: {', '.join(more.elements())}")
    return "; ".join(parts)


def _style(block):
    for around in block.breaks:
        if re.search(rf"{_HAN}|[，。；：、]", around):
            yield f"a line ends within Chinese text, which is shown as a space: {around!r}"
    for pattern, words in _STYLE:
        if found := re.search(pattern, block.text):
            part = block.text[max(found.start() - 6, 0) : found.end() + 6]
            yield f"{words}: {part.replace(chr(0), '`…`').strip()}"


def _faults(one, other, english: Path, chinese: Path):
    """What is wrong with a block of the translation, most telling first."""
    if one.kind != other.kind:
        yield f"there is <{other.kind}> where the English page has <{one.kind}>"
    yield _unlike("code span", one.spans, other.spans)
    if one.code != other.code:
        pairs = zip(one.code.splitlines(), other.code.splitlines(), strict=False)
        yield next((f"code differs: {b.strip()}" for a, b in pairs if a != b), "code differs")
    there = [_target(target, english, chinese)[0] for target in one.targets.elements()]
    here = [_target(target, chinese, english) for target in other.targets.elements()]
    yield _unlike("link", Counter(there), Counter(target for target, _ in here))
    yield next((words for _, words in here if words), "")
    yield _unlike("figure", one.figures, other.figures)
    yield _unlike("name", Counter(one.names), Counter(other.names))
    if lost := one.capitals - other.capitals:
        yield f"abbreviation missing: {', '.join(sorted(lost))}"
    expected = CELLS.get(one.text, other.text) if one.kind.endswith("td") else other.text
    if other.text != expected:
        yield f"{other.text} stands where the English page says {one.text}: {expected}"
    if not re.search(_HAN, other.text) and len(re.findall(r"[A-Za-z]{2,}", other.text)) > 4:
        yield f"not translated: {other.text.strip()[:40]}"
    yield from _style(other)


def with_code(english: str, chinese: str):
    """A translation with the page's code blocks as they are now, but for those with comments."""
    theirs, ours = english.splitlines(), chinese.splitlines()
    pairs = list(zip(blocks(english), blocks(chinese), strict=False))
    for one, other in reversed(pairs):
        if one.code and one.kind == other.kind and not (one.text or other.text):
            ours[slice(*other.lines)] = theirs[slice(*one.lines)]
    return "\n".join(ours) + "\n"


def first_difference(english: Path, chinese: Path):
    """One sentence with the line of the translation, or "" where the pages are equal."""
    theirs, ours = (blocks(page.read_text("utf-8")) for page in (english, chinese))
    for one, other in zip(theirs, ours, strict=False):
        if fault := next(filter(None, _faults(one, other, english, chinese)), ""):
            return f"{chinese.name}:{other.line}: {fault} ({english.name}:{one.line})"
    if len(theirs) > len(ours):
        rest = theirs[len(ours)]
        return f"{chinese.name}: it ends where {english.name}:{rest.line} goes on"
    if len(ours) > len(theirs):
        return f"{chinese.name}:{ours[len(theirs)].line}: {english.name} ends before this"
    return ""
