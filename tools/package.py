"""`./dev package`: the library as packages for mip: compiled, in dist/, or its sources' list."""

import argparse
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from tools import mpy

ROOT = mpy.LIB.parent
PROG = "dev package"
LIST = "package.json"  # what mip calls the list of a package's files
EXAMPLE = """
examples:
  ./dev package              then, onto a board: mpremote mip install dist/mip/package.json
  ./dev package --sources    after a module of lib/ got another name or place

The compiled package is for MicroPython 1.22 and later: .mpy version 6, no native code. The same
sources give the same bytes. mip deletes nothing: a board that had the sources keeps running them
until './dev deploy' or 'mpremote rm -r :lib/dynreg :lib/hub' takes them away.
"""


class PackageError(Exception):
    """No package can be made; the message is one sentence with the remedy."""


def main():
    parser = argparse.ArgumentParser(
        prog=PROG,
        description="Compiles lib/ (the library and the vendor's names) into a package for mip, "
        "or lists its sources as one.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="default dist/"
    )
    what.add_argument(
        "--sources",
        action="store_true",
        help="write package.json, which installs lib/ as it is, anew from what lib/ holds",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")
    options = parser.parse_args()
    try:
        path = write_sources() if options.sources else build(options.out, progress)
        found = summary(path)
    except (PackageError, mpy.CompileError, OSError) as error:
        print(f"{PROG}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found) if options.json else words(found))
    return 0


def version():
    """The library's own: the one place that it is written in."""
    text = (mpy.LIB / "dynreg" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if not found:
        raise PackageError("lib/dynreg/__init__.py: says no __version__: write it there")
    return found[1]


def modules():
    """What lib/ holds, as paths below it, in the order of boards/plan.py."""
    found = (path.relative_to(mpy.LIB).as_posix() for path in mpy.LIB.rglob("*.py"))
    return sorted(found, reverse=True)


def listing(files):
    """A package.json: files is {path below /lib on the board: path beside the package.json}."""
    rows = ",\n".join(f"    {json.dumps(row)}" for row in files.items())
    return f'{{\n  "urls": [\n{rows}\n  ],\n  "deps": [],\n  "version": "{version()}"\n}}\n'


def source_listing():
    """What the repository's package.json should be."""
    return listing({name: f"lib/{name}" for name in modules()})


def write_sources():
    path = ROOT / LIST
    path.write_text(source_listing(), "utf-8", newline="\n")
    return path


def build(out, say=lambda done, total: None):
    """Compiles lib/ into out/mip, whole or not at all; the package.json's path. PackageError.

    say: called with how many modules are compiled, and of how many.
    """
    place = out / "mip"
    if place.exists() and not (place / LIST).is_file():
        raise PackageError(f"{place}: is there and is no package of ours: name another --out")
    out.mkdir(parents=True, exist_ok=True)
    names = modules()
    with tempfile.TemporaryDirectory(prefix=".package-", dir=out) as scratch:
        new = Path(scratch) / "mip"
        files = {}
        for name in names:
            target = name.removesuffix(".py") + ".mpy"
            mpy.compile_file(mpy.LIB / name, name, new / target)
            files[target] = target
            say(len(files), len(names))
        (new / LIST).write_text(listing(files), "utf-8", newline="\n")
        if place.exists():  # a module that is gone from lib/ must not stay here
            shutil.move(place, Path(scratch) / "old")
        shutil.move(new, place)
    return place / LIST


def progress(done, total):
    """One line that counts, for a person only."""
    if sys.stderr.isatty():
        print(f"\r{PROG}: compiled {done} of {total}", end="", file=sys.stderr, flush=True)
        if done == total:
            print(file=sys.stderr)


def summary(path):
    """A package that was written, as --json tells it."""
    package = json.loads(path.read_text("utf-8"))
    sizes = {target: (path.parent / source).stat().st_size for target, source in package["urls"]}
    return {
        "package": shown(path),
        "version": package["version"],
        "files": sizes,
        "bytes": sum(sizes.values()),
    }


def shown(path):
    """A path as one types it in the clone."""
    path = path.resolve()
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()


def words(found):
    return (
        f"{found['package']}: dynreg {found['version']}, {len(found['files'])} files, "
        f"{found['bytes'] / 1024:.1f} KB\n"
        f"onto a board: mpremote mip install {found['package']}"
    )


if __name__ == "__main__":
    sys.exit(main())
