"""Clean places: a venv of its own, a cache folder of its own, no clone in sight."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from .steps import ReleaseError, command

_OURS = ("PYTHONPATH", "VIRTUAL_ENV", "XDG_CACHE_HOME")
_DEMO = {"registered": True, "connected": True, "clock_set": True}


def environment(cache: Path, epoch: str) -> dict[str, str]:
    """This process's, without what leads to the clone; epoch: the builds' clock, in seconds."""
    theirs = {
        name: value
        for name, value in os.environ.items()
        if name not in _OURS and not name.startswith(("DYNREG_", "PYTEST_"))
    }
    return theirs | {"XDG_CACHE_HOME": str(cache), "SOURCE_DATE_EPOCH": epoch}


class Place:
    """A venv in a folder that is made, with a command to run in it."""

    def __init__(self, folder: Path, epoch: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.environment = environment(folder / "cache", epoch)
        try:
            venv.create(folder / "venv", with_pip=True)
        except subprocess.CalledProcessError:
            raise ReleaseError(
                "no venv can be made: on Debian and Ubuntu, 'apt install python3-venv' first"
            ) from None
        self._bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.python = self._bin / Path(sys.executable).name

    def install(self, *words: str | Path) -> None:
        """pip install. ReleaseError."""
        try:
            self.run(self.python, "-m", "pip", "install", "--quiet", *words)
        except ReleaseError as error:
            last = re.findall(r"ERROR: (.*)", str(error))[-1:] or [str(error)]
            what = ", ".join(map(str, words))
            raise ReleaseError(
                f"{what} cannot be installed: is there a network? pip says: {last[0]}"
            ) from None

    def run(self, *words: str | Path, accepted: tuple[int, ...] = (0,)) -> str:
        """What a command printed, run in this folder; "dynreg" and "pytest" are the venv's own."""
        first, *rest = words
        own = self._bin / first if isinstance(first, str) else first
        return command(
            own, *rest, cwd=self.folder, environment=self.environment, accepted=accepted
        )


def only_its_dependencies(place: Place, wheel: Path, version: str) -> str:
    """The wheel without extras: whole, of this version, and clear about what it lacks."""
    place.install(wheel)
    place.run(place.python, "-m", "pip", "check")
    said = place.run("dynreg", "--version").strip()
    if said != f"dynreg {version}":
        raise ReleaseError(f"dynreg --version says {said}, not {version}")
    refused = place.run("dynreg", "demo", accepted=(1,))
    if "pip install 'dynreg[hub]'" not in refused:
        raise ReleaseError(f"without the extra 'hub' dynreg demo says {refused.strip()[-200:]}")
    return f"{said}; dynreg demo names the extra that it needs"


def demo(place: Place, file: Path) -> str:
    """Installs a wheel with [hub], and runs the demo; what it came to."""
    place.install(f"{file}[hub]")
    lines = place.run("dynreg", "demo", "--json").splitlines()
    summary = json.loads([line for line in lines if line.startswith("{")][-1])
    first, second = summary["first_boot"], summary["second_boot"]
    for boot, wanted in ((first, _DEMO), (second, _DEMO | {"registered": False})):
        if {name: boot[name] for name in wanted} != wanted:
            raise ReleaseError(f"the demo's boot came to {boot}")
    if not summary["secret_stored"] or summary["secret_in_log"]:
        raise ReleaseError(f"the demo's secret: {summary}")
    return f"registered and logged in within {first['seconds']} s, again in {second['seconds']} s"


def examples(place: Place, folder: Path) -> str:
    """The examples' own tests, where no clone is; pytest's last line."""
    shutil.copytree(
        folder, place.folder / "examples", ignore=shutil.ignore_patterns("__pycache__")
    )
    place.install("pytest")
    said = place.run("pytest", "-q", "-p", "no:cacheprovider", "examples")
    return said.strip().splitlines()[-1]


def again(place: Place, sdist: Path) -> Path:
    """The wheel that pip makes of an sdist, in isolation and in another folder."""
    out = place.folder / "again"
    words = ("wheel", "--quiet", "--no-deps", "--no-cache-dir", "-w", out, sdist)
    place.run(place.python, "-m", "pip", *words)
    return next(out.glob("*.whl"))
