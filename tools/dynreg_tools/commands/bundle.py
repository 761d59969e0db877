"""`dynreg bundle`: a program as one file for updates over the air."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

from .. import files
from ..bundles import pack
from ..console import Console
from ..errors import ToolError

DESCRIPTION = """\
Packs a program into one file that boards take over the air (docs/ota.md), its .py compiled; or
makes the folder of a board's first deploy; or shows what a bundle holds."""
EXAMPLE = """\
examples:
  dynreg bundle my_app --version 1.0 --factory first    then: dynreg deploy --app first
  dynreg bundle my_app --version 1.1                    my_app-1.1.bundle, for the console
  dynreg hub update my_app-1.1.bundle --all             or for the local hub's devices
  dynreg bundle --show my_app-1.1.bundle

The folder holds main.py and what it needs. A board keeps its own device_info.json, certificates
and credential over every update; the dynreg package comes along with --with-dynreg only."""

_OURS = ("main.py", pack.STATE, f"{pack.SLOT}/", "lib/dynreg/services/")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="the program")
    parser.add_argument("--version", metavar="TEXT", help="what the cloud calls it, as 1.2")
    parser.add_argument(
        "--with-dynreg", action="store_true", help="the dynreg package of this computer as well"
    )
    parser.add_argument(
        "--boots",
        type=int,
        default=pack.BOOTS,
        metavar="N",
        help="starts of a new program before it must be confirmed (default %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=int,
        default=pack.SECONDS,
        metavar="S",
        help="and for how long one may run until then; 0: no limit (default %(default)s)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out", type=Path, metavar="FILE", help="the bundle (default FOLDER-VERSION.bundle)"
    )
    what.add_argument(
        "--factory", type=Path, metavar="FOLDER", help="a folder for dynreg deploy --app instead"
    )
    what.add_argument("--show", type=Path, metavar="FILE", help="what a bundle holds")
    parser.add_argument("--json", action="store_true", help="one JSON object, sizes in bytes")


def run(options: argparse.Namespace) -> int:
    """0 once it is written, or shown."""
    console = Console(options.json)
    if options.show:
        if options.folder or options.version:
            raise ToolError("--show takes a bundle alone")
        _show(console, options.show, _read(options.show), options.json)
        return 0
    if not options.folder or not options.version:
        raise ToolError("name the program's folder and its --version, as: my_app --version 1.2")
    trial = pack.Trial(options.boots, options.seconds)
    bundle = pack.pack(options.folder, options.version, trial, library=options.with_dynreg)
    if options.factory:
        _factory(console, options.factory, bundle, options.json)
        return 0
    name = f"{options.folder.resolve().name}-{options.version.replace('/', '_')}.bundle"
    out = options.out or Path(name)
    try:
        files.write(out, bundle.data)
    except OSError as error:
        raise ToolError(f"{out}: cannot be written: {error.strerror}") from error
    _show(console, out, bundle, options.json)
    return 0


def _read(path: Path) -> pack.Bundle:
    try:
        return pack.read(path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
    except pack.BundleError as error:
        raise ToolError(f"{path}: {error}: make it anew with 'dynreg bundle'") from None


def _factory(console: Console, folder: Path, bundle: pack.Bundle, as_json: bool) -> None:
    """In the place of what an earlier one has left, and of nothing else."""
    made = pack.factory(bundle)
    try:
        there = sorted(folder.rglob("*"), reverse=True)
        for old in there:
            if old.is_file() and not old.relative_to(folder).as_posix().startswith(_OURS):
                raise ToolError(f"{folder}: holds {old.name}, which is not ours: name another")
        for old in there:
            if old.is_dir():
                old.rmdir()
            else:
                old.unlink()
        for name, data in made.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except OSError as error:
        raise ToolError(f"{folder}: cannot be written: {error.strerror}") from error
    sizes = {name: len(data) for name, data in made.items()}
    console.result({"folder": str(folder), "version": bundle.version, "files": sizes})
    if not as_json:
        console.say(f"{folder}: version {bundle.version}, {len(made)} files")
        console.say(f"onto boards: dynreg deploy --app {folder}")


def _show(console: Console, path: Path, bundle: pack.Bundle, as_json: bool) -> None:
    data = bundle.data
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    sizes = {name: len(content) for name, content in bundle.files.items()}
    rows: list[dict[str, Any]] = [{"file": name, "bytes": size} for name, size in sizes.items()]
    head = {key: bundle.head[key] for key in ("version", "boots", "seconds")}
    console.result({"bundle": str(path), **head, "bytes": len(data), "md5": md5, "files": sizes})
    console.table(rows, ("file", "bytes"))
    if not as_json:
        console.say(
            f"{path}: version {bundle.version}, {len(data)} bytes, MD5 {md5}; confirmed within "
            f"{head['boots']} starts" + (f", {head['seconds']} s each" if head["seconds"] else "")
        )
