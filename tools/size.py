"""`./dev size`: bytes of .mpy of each module in lib/, beside those of the last commit."""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import mpy

ROOT = mpy.LIB.parent
PROG = "dev size"
EXAMPLE = """
example:
  ./dev size                  what the change at hand costs, against the last commit
  ./dev size --against v0.1   since a release
"""


class SizeError(Exception):
    """The sizes cannot be compared; the message is one sentence with the remedy."""


def main():
    parser = argparse.ArgumentParser(
        prog=PROG,
        description=f"{__doc__} Compiled with {' '.join(mpy.OPTIONS)}, as the bench runs it.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--against", default="HEAD", metavar="COMMIT", help="compare with this (default HEAD)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            now, before = compared(options.against, Path(scratch))
    except (SizeError, mpy.CompileError) as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 1
    print(
        json.dumps(summary(now, before, options.against)) if options.json else table(now, before)
    )
    return 0


def compared(commit, scratch):
    """Sizes by module, now and in a commit. SizeError, mpy.CompileError."""
    command = ["git", "archive", "--format=zip", commit, "lib"]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True)
    except FileNotFoundError:
        raise SizeError("there is no git here, so nothing to compare with: install it") from None
    if result.returncode:
        why = result.stderr.decode().strip().splitlines()[-1:]
        raise SizeError(f"git does not give lib/ of {commit}: {' '.join(why)}")
    with zipfile.ZipFile(io.BytesIO(result.stdout)) as archive:
        archive.extractall(scratch / "before")
    now = mpy.sizes(mpy.LIB, scratch / "now.mpy")
    return now, mpy.sizes(scratch / "before" / "lib", scratch / "before.mpy")


def summary(now, before, commit):
    return {
        "modules": {
            name: {"bytes": now.get(name), "before": before.get(name)}
            for name in sorted({*now, *before})
        },
        "total": mpy.totals(now),
        "before": {"commit": commit, "total": mpy.totals(before)},
    }


def table(now, before):
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


def _row(name, now, before):
    change = (now or 0) - (before or 0)
    cells = ["-" if size is None else str(size) for size in (now, before)]
    return f"{name:28}{cells[0]:>8}{cells[1]:>8}{f'{change:+}' if change else '':>8}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
