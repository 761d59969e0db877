"""`dynreg package`: the library as packages for mip: compiled, or its sources' list."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ..build.package import build, summary, write_sources
from ..sources import IN_CLONE, ROOT, need_clone

DESCRIPTION = """\
Compiles lib/ into packages for mip: the library with the vendor's names, and each optional service
by itself; or lists the library's sources as a package."""
EXAMPLE = """\
examples:
  dynreg package              then, onto a board: mpremote mip install dist/mip/package.json
  mpremote mip install dist/mip/rrpc/package.json     a service, beside it
  dynreg package --sources    after a module of lib/ got another name or place

The compiled package is for MicroPython 1.22 and later: .mpy version 6, no native code. The same
sources give the same bytes. mip deletes nothing: a board that had the sources keeps running them
until 'dynreg deploy' or 'mpremote rm -r :lib/dynreg :lib/hub' takes them away."""


def add_options(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out",
        type=Path,
        default=(ROOT if IN_CLONE else Path()) / "dist",
        metavar="FOLDER",
        help="default dist/",
    )
    what.add_argument(
        "--sources",
        action="store_true",
        help="write package.json, which installs lib/ as it is, anew from what lib/ holds",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")


def run(options: argparse.Namespace) -> int:
    """0 once the package is written."""
    if options.sources:
        need_clone("package --sources")
    found = summary(write_sources() if options.sources else build(options.out, _progress))
    print(json.dumps(found) if options.json else _words(found))
    return 0


def _progress(done: int, total: int) -> None:
    """One line that counts, for a person only."""
    if sys.stderr.isatty():
        print(f"\rdynreg: compiled {done} of {total}", end="", file=sys.stderr, flush=True)
        if done == total:
            print(file=sys.stderr)


def _words(found: dict[str, Any]) -> str:
    lines = [
        f"{found['package']}: dynreg {found['version']}, {len(found['files'])} files, "
        f"{found['bytes'] / 1024:.1f} KB",
        *(f"{one['package']}: {one['bytes']} bytes" for one in found["services"].values()),
        f"onto a board: mpremote mip install {found['package']}",
    ]
    return "\n".join(lines)
