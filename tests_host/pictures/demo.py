"""README's recording: a terminal in which ./dev demo runs; every line is of a real run.

The recording is kept in the picture as it was made, [seconds, text] for each piece of output
(asciinema calls that the events of a cast). Where nothing moves (on paper, in a preview, for who
wants no motion) the picture shows the last screen.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import textwrap
import time
from dataclasses import dataclass
from itertools import accumulate, pairwise

from dynreg_tools.bench.drawing import MONOSPACE, Drawing
from dynreg_tools.sources import ROOT
from tests_host.pictures.shapes import PictureError

# What the board logs, the numbered steps and the summary; the hub's events would be as much again.
COMMAND = "./dev demo | grep -E 'INFO|^[0-9a-z]'"
COLUMNS, ROWS = 52, 34  # as a picture shows them; longer lines are wrapped between words
_TERMINAL = 200
_LINE, _CELL, _PAD = 19, 9, 8
_SHORTEST_S, _LONGEST_S = 0.12, 0.8  # the pause before a row
_BEFORE_S, _AFTER_S, _TIMES = 1.2, 6, 2  # the last screen: first, as the still; then as the end
_LIMIT_S = 120
_CLEAN = "secrets in anything printed: none"


def record() -> list[list]:
    """The output of COMMAND in a terminal, by pieces: [seconds since the start, text]."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, _TERMINAL, 0, 0))
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": str(_TERMINAL)}
    command = f"set -o pipefail; {COMMAND.replace('grep', 'grep --line-buffered')}"
    began, events = time.monotonic(), []
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        try:
            while piece := _read(ours):
                now = time.monotonic() - began
                events.append([round(now, 3), piece.decode("utf-8", "replace")])
                if now > _LIMIT_S:
                    running.kill()
        finally:
            os.close(ours)
    text = "".join(piece for _, piece in events)
    if running.returncode or _CLEAN not in text:
        last = text.strip().rpartition("\n")[2]
        raise PictureError(f"'{COMMAND}' ended with exit code {running.returncode}: {last}")
    return events


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux's word for the end of a pty
        return b""


@dataclass(frozen=True)
class Row:
    """A row of the picture's terminal, and the seconds after which it is there."""

    at: float
    text: str


def rows(events: list[list]) -> list[Row]:
    """The rows behind the prompt with the command; PictureError where they need a terminal."""
    text = "".join(piece for _, piece in events)
    times = [at for at, piece in events for _ in piece]
    found = [Row(0, f"$ {COMMAND}")]
    place = 0
    for line in text.splitlines(keepends=True):
        clean = line.rstrip("\r\n")
        if re.search(r"[\x00-\x1f\x7f]", clean):
            raise PictureError(f"a control character that is not drawn: {clean!r}")
        indent = " " * (10 if clean.startswith("  board | ") else 3)
        wrapped = textwrap.wrap(clean, COLUMNS, subsequent_indent=indent, break_on_hyphens=False)
        found += [Row(times[place], part) for part in wrapped or [""]]
        place += len(line)
    return found


def draw(events: list[list]) -> str:
    """The recording as a picture that moves, where that is wanted, and ends on the last screen."""
    every = rows(events)
    width, height = 2 * _PAD + COLUMNS * _CELL, ROWS * _LINE
    drawing = Drawing(
        "Recording of ./dev demo",
        "A terminal. A blank virtual board joins Wi-Fi, registers with the local hub, stores its "
        "credential, logs in over TLS and sets its clock. On its second boot it logs in without "
        "registering.",
        height=height + 2 * _PAD,
        width=width,
    )
    drawing.data = events
    drawing.begin("svg", y=_PAD, width=width, height=height, overflow="hidden")
    past = max(0, len(every) - ROWS) * _LINE
    drawing.begin("g", classes="rows", transform=f"translate(0 {-past})", font_family=MONOSPACE)
    for place, row in enumerate(every):
        _row(drawing, row.text, place * _LINE + 15)
    drawing.end()
    drawing.shape("rect", "page", y=height, x=1, width=width - 2, height=height, classes="cover")
    drawing.end()
    drawing.css = _animation(every, height)
    return drawing.svg()


def _row(drawing: Drawing, text: str, y: float) -> None:
    """Each piece between wide spaces at its own column, so that any monospace font will do."""
    for found in re.finditer(r"\S+(?: \S+)*", text):
        muted = found[0].startswith("board |") or re.match(r"[\d.]+ INFO", found[0])
        drawing.text(
            _PAD + found.start() * _CELL,
            y,
            found[0],
            "muted" if muted and len(found[0]) < 14 else "ink",
            bold=text[:1] in "$1234",
            textLength=len(found[0]) * _CELL,
        )


def _animation(every: list[Row], height: int) -> str:
    """The rows one after the other, with the pauses of the run, none too short or too long."""
    pauses = [later.at - row.at for row, later in pairwise(every)]
    waits = (min(max(pause, _SHORTEST_S), _LONGEST_S) for pause in pauses)
    shown = [*accumulate(waits, initial=_BEFORE_S)]
    total = shown[-1] + _AFTER_S
    moves, covers = [], []
    for count, at in [(len(every), 0.0), *enumerate(shown, 1)]:
        share = f"{100 * at / total:.2f}%"
        moves.append(f"{share}{{transform:translateY({-max(0, count - ROWS) * _LINE}px)}}")
        covers.append(f"{share}{{transform:translateY({min(count, ROWS) * _LINE - height}px)}}")
    timing = f"{total:.1f}s step-end {_TIMES}"
    return (
        f"@media (prefers-reduced-motion:no-preference){{.rows{{animation:rows {timing}}}"
        f".cover{{animation:cover {timing}}}}}"
        f"@keyframes rows{{{''.join(moves)}}}@keyframes cover{{{''.join(covers)}}}"
    )
