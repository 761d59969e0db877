"""`dynreg size`: bytes of .mpy of each module in lib/, beside those of the last commit."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ..build import mpy
from ..build.size import compared, summary
from ..sources import need_clone

DESCRIPTION = (
    "Bytes of .mpy of each module in lib/, beside those of the last commit. Compiled with "
    f"{' '.join(mpy.OPTIONS)}, as the bench runs it."
)
EXAMPLE = """\
example:
  dynreg size                  what the change at hand costs, against the last commit
  dynreg size --against v0.1   since a release"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against", default="HEAD", metavar="COMMIT", help="compare with this (default HEAD)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")


def run(options: argparse.Namespace) -> int:
    """0 once both are compared."""
    need_clone("size")
    with tempfile.TemporaryDirectory() as scratch:
        now, before = compared(options.against, Path(scratch))
    found = summary(now, before, options.against)
    print(json.dumps(found) if options.json else table(now, before))
    return 0


def table(now: dict[str, int], before: dict[str, int]) -> str:
    rows = [f"{'module':28}{'now':>8}{'before':>8}{'change':>8}"]
    rows += [_row(name, now.get(name), before.get(name)) for name in sorted({*now, *before})]
    rows.append("")
    totals, totals_before = mpy.totals(now), mpy.totals(before)
    for part, words in (
        ("dynreg", "dynreg without certificates"),
        ("certificates", "built-in certificates"),
        ("hub", "hub, the vendor's names"),
        ("all", "all"),
    ):
        rows.append(_row(words, totals[part], totals_before[part]))
    return "\n".join(rows)


def _row(name: str, now: int | None, before: int | None) -> str:
    change = (now or 0) - (before or 0)
    cells = ["-" if size is None else str(size) for size in (now, before)]
    return f"{name:28}{cells[0]:>8}{cells[1]:>8}{f'{change:+}' if change else '':>8}".rstrip()
