"""The library as packages for mip: compiled, in a folder, or its sources' list."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ToolError
from ..sources import LIB, ROOT, modules, services, version
from . import mpy

LIST = "package.json"  # what mip calls the list of a package's files


class PackageError(ToolError):
    """No package can be made; the message is one sentence with the remedy."""


def listing(files: dict[str, str]) -> str:
    """A package.json: files is {path below /lib on the board: path beside the package.json}."""
    rows = ",\n".join(f"    {json.dumps(row)}" for row in files.items())
    return f'{{\n  "urls": [\n{rows}\n  ],\n  "deps": [],\n  "version": "{version()}"\n}}\n'


def source_listing() -> str:
    """What the repository's package.json should be."""
    return listing({name: f"lib/{name}" for name in modules()[::-1]})


def write_sources() -> Path:
    """Writes the repository's package.json anew; its path."""
    path = ROOT / LIST
    path.write_text(source_listing(), "utf-8", newline="\n")
    return path


def build(out: Path, say: Callable[[int, int], None] = lambda _done, _total: None) -> Path:
    """Compiles lib/ into out/mip, whole or not at all; the package.json's path. PackageError.

    Each service is a package of its own in a folder of its name beside that package.json.
    say: called with how many modules are compiled, and of how many.
    """
    place = out / "mip"
    if place.exists() and not (place / LIST).is_file():
        raise PackageError(f"{place}: is there and is no package of ours: name another --out")
    out.mkdir(parents=True, exist_ok=True)
    packages = {"": modules()[::-1], **services()}
    total = sum(map(len, packages.values()))
    done = 0
    with tempfile.TemporaryDirectory(prefix=".package-", dir=out) as scratch:
        new = Path(scratch) / "mip"
        for service, names in packages.items():
            files = {}
            for name in names:
                target = name.removesuffix(".py") + ".mpy"
                mpy.compile_file(LIB / name, name, new / service / target)
                files[target] = target
                done += 1
                say(done, total)
            (new / service / LIST).write_text(listing(files), "utf-8", newline="\n")
        if place.exists():  # a module that is gone from lib/ must not stay here
            shutil.move(place, Path(scratch) / "old")
        shutil.move(new, place)
    return place / LIST


def flatten(package: Path, out: Path) -> list[Path]:
    """The same packages for a place without folders, as what is attached to a release is.

    out is made: the library's package.json, NAME.json for each service, and dynreg.device.mpy for
    dynreg/device.mpy. What was written.
    """
    out.mkdir(parents=True)
    written: list[Path] = []
    for service in ("", *services()):
        listed = json.loads((package.parent / service / LIST).read_text("utf-8"))["urls"]
        flat = {target: target.replace("/", ".") for target, _ in listed}
        for target, source in listed:
            written.append(out / flat[target])
            shutil.copyfile(package.parent / service / source, written[-1])
        written.append(out / (f"{service}.json" if service else LIST))
        written[-1].write_text(listing(flat), "utf-8", newline="\n")
    return written


def summary(path: Path) -> dict[str, Any]:
    """A package that was written, as --json tells it, with those of the services beside it."""
    return {
        **_summary(path),
        "services": {
            name: _summary(of_service)
            for name in services()
            if (of_service := path.parent / name / LIST).is_file()
        },
    }


def _summary(path: Path) -> dict[str, Any]:
    package = json.loads(path.read_text("utf-8"))
    sizes = {target: (path.parent / source).stat().st_size for target, source in package["urls"]}
    return {
        "package": shown(path),
        "version": package["version"],
        "files": sizes,
        "bytes": sum(sizes.values()),
    }


def shown(path: Path) -> str:
    """A path as one types it in the clone."""
    path = path.resolve()
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()
