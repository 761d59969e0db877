"""`dynreg size`: bytes of .mpy of each module in lib/, beside those of the last commit."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from ..build import mpy
from ..build.size import compared, summary
from ..console import Console
from ..sources import need_clone

COLUMNS = ("module", "now", "before", "change")
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
    console = Console(options.json)
    console.result(summary(now, before, options.against))
    console.table(rows(now, before), COLUMNS)
    return 0


def rows(now: dict[str, int], before: dict[str, int]) -> list[dict[str, Any]]:
    """The modules, and below them what they come to."""
    found = [_row(name, now.get(name), before.get(name)) for name in sorted({*now, *before})]
    totals, totals_before = mpy.totals(now), mpy.totals(before)
    for part, words in (
        ("dynreg", "dynreg without certificates"),
        ("certificates", "built-in certificates"),
        ("services", "optional services"),
        ("hub", "hub, the vendor's names"),
        ("all", "all"),
    ):
        found.append(_row(words, totals[part], totals_before[part]))
    return found


def _row(name: str, now: int | None, before: int | None) -> dict[str, Any]:
    change = (now or 0) - (before or 0)
    return {
        "module": name,
        "now": now,
        "before": before,
        "change": f"{change:+}" if change else "",
    }
