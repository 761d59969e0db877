"""Signs: a large word for each board's port, to be read from where the boards are plugged in."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console as Rich
from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_LETTERS = {  # three pixels wide, five high
    " ": ("   ",) * 5,
    "A": ("###", "# #", "###", "# #", "# #"),
    "B": ("## ", "# #", "## ", "# #", "## "),
    "D": ("## ", "# #", "# #", "# #", "## "),
    "F": ("###", "#  ", "## ", "#  ", "#  "),
    "G": ("###", "#  ", "# #", "# #", "###"),
    "I": ("###", " # ", " # ", " # ", "###"),
    "L": ("#  ", "#  ", "#  ", "#  ", "###"),
    "O": ("###", "# #", "# #", "# #", "###"),
    "S": ("###", "#  ", "###", "  #", "###"),
    "T": ("###", " # ", " # ", " # ", " # "),
    "U": ("# #", "# #", "# #", "# #", "###"),
    "W": ("# #", "# #", "# #", "###", "# #"),
    "Y": ("# #", "# #", " # ", " # ", " # "),
}
GOOD, FAIL, BUSY, WAIT, OUT = "GOOD", "FAIL", "BUSY", "WAIT", "    "
_STYLES = {
    GOOD: "bold white on green",
    FAIL: "bold white on red",
    BUSY: "bold black on yellow",
    WAIT: "white on blue",
    OUT: "dim",
}
_URGENT = (FAIL, BUSY, WAIT, GOOD, OUT)  # what is shown first where there is no room for all
# A pixel's columns and rows, and whether all is said below the word: the first for which is room.
_SIZES = ((4, 2, True), (2, 1, True), (1, 1, True), (1, 1, False))
_PIXELS = 15  # the width of a word of four letters
_LEAST = 25  # columns of a sign, for ports and names
_STAYS_S = 10  # a sign's place after its board was unplugged: the next one comes there


@dataclass
class Sign:
    """word: one of the five. who: name or MAC. text: a step, or an error's code; more: what to do
    about it. gone_at: when its board was unplugged."""

    word: str
    who: str = ""
    text: str = ""
    more: str = ""
    gone_at: float | None = None


class Signs:
    """The signs of all ports below a line of counters; drawn in a terminal only.

    A with statement shows them; step() may be called from any thread.
    """

    def __init__(self, rich: Rich | None, counters: str) -> None:
        self.counters = counters
        self._rich = rich
        self._signs: dict[str, Sign] = {}
        self._lock = threading.Lock()
        self._live = None
        if rich is not None:
            self._live = Live(
                console=rich, get_renderable=self._draw, refresh_per_second=5, transient=True
            )

    def __enter__(self) -> Signs:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._live.stop()

    def step(self, port: str, text: str, part: float) -> None:
        """The board is at a step, and so far in all (0 to 1)."""
        self.show(port, Sign(BUSY, text=f"{text} {part:.0%}"))

    def done(self, port: str, text: str) -> None:
        """Nothing: show() says how it ended, with its row."""

    def show(self, port: str, sign: Sign) -> None:
        with self._lock:
            self._signs[port] = sign

    def away(self, port: str) -> None:
        """The board was unplugged; a failure, which one could not see yet, is shown a while."""
        with self._lock:
            sign = self._signs[port]
            if sign.word != FAIL:
                sign = self._signs[port] = Sign(OUT, text="unplugged")
            sign.gone_at = time.monotonic()

    def _draw(self) -> RenderableType:
        if self._rich is None:
            return ""
        with self._lock:
            until = time.monotonic() - _STAYS_S
            for port, sign in list(self._signs.items()):
                if sign.gone_at is not None and sign.gone_at < until:
                    del self._signs[port]
            signs = {port: self._signs[port] for port in sorted(self._signs, key=_natural)}
        return arranged(self._rich, self.counters, signs)


def _natural(port: str) -> list[tuple[str, int]]:
    """A key by which ttyUSB2 comes before ttyUSB10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", port)]


def arranged(rich: Rich, counters: str, signs: dict[str, Sign]) -> RenderableType:
    """The counters and the largest signs for which the terminal has room; none is ever cut."""
    head = Text(counters, "bold")
    room = rich.height - 1
    for size in _SIZES:
        shown = Group(head, _tiles(rich, signs, *size))
        if len(rich.render_lines(shown)) <= room:
            return shown
    lines = [_line(port, sign) for port, sign in signs.items()]
    if len(rich.render_lines(Group(head, *lines))) <= room:
        return Group(head, *lines)
    urgent = sorted(signs, key=lambda port: _URGENT.index(signs[port].word))
    lines = []
    room -= len(rich.render_lines(Group(head, _rest([]))))
    for port in urgent:
        line = _line(port, signs[port])
        room -= len(rich.render_lines(line))
        if room < 0:
            break
        lines.append(line)
    return Group(head, *lines, _rest([signs[port].word for port in urgent[len(lines) :]]))


def _rest(words: list[str]) -> Text:
    """How many are not shown, in a line that is never wrapped."""
    counts = ((words.count(word), word.strip() or "unplugged") for word in _URGENT)
    more = ", ".join(f"{number} {word}" for number, word in counts if number)
    return Text(f"and {len(words)} more: {more}", "bold", no_wrap=True, overflow="ellipsis")


def _tiles(rich: Rich, signs: dict[str, Sign], wide: int, high: int, more: bool) -> Table:
    least = max(_PIXELS * wide + 2, _LEAST)
    beside = max(1, min((rich.width + 1) // (least + 1), len(signs) or 1))
    width = max(1, (rich.width - beside + 1) // beside)
    table = Table.grid(padding=(0, 1, 1 if more else 0, 0), pad_edge=False)
    for _ in range(beside):
        table.add_column(width=width)
    tiles = [_tile(rich, port, sign, wide, high, more) for port, sign in signs.items()]
    for at in range(0, len(tiles), beside):
        table.add_row(*tiles[at : at + beside])
    return table


def _tile(rich: Rich, port: str, sign: Sign, wide: int, high: int, more: bool) -> Padding:
    short = [port, sign.text or sign.who]
    texts = [port, sign.who, sign.text, sign.more] if more else short
    parts = [Text(text, overflow="fold") for text in texts if text]
    word = Text("\n".join(letters(sign.word, wide, high, _ink(rich))), no_wrap=True)
    return Padding(Group(word, *parts), (int(more), 1, 0, 1), style=_STYLES[sign.word])


def _line(port: str, sign: Sign) -> Padding:
    words = "  ".join(filter(None, (sign.word, port, sign.who, sign.text)))
    return Padding(Text(words, overflow="fold"), (0, 1), style=_STYLES[sign.word])


def _ink(rich: Rich) -> str:
    return "#" if rich.options.ascii_only else "█"


def letters(word: str, wide: int, high: int, ink: str) -> Iterable[str]:
    """The rows of a word in large letters, a pixel so many columns wide and rows high."""
    for row in range(5):
        pixels = " ".join(_LETTERS[letter][row] for letter in word)
        line = "".join((ink if pixel == "#" else " ") * wide for pixel in pixels)
        yield from [line] * high
