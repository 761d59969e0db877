"""MicroPython interpreters on this machine: the pinned wheel, Debian's 32-bit one, one's own.

A board has pointers of 32 bits and the wheel of 64, so memory is measured on both. The 32-bit one
is Debian's micropython for i386, unpacked into .cache/micropython with the libraries it needs;
nothing is installed and no root is needed, but an apt whose sources name a Debian mirror. Others
come by the environment: DYNREG_MICROPYTHON=PATH[:PATH…].
Run as `python -m dynreg_tools.build.interpreters [DIR]` it fetches it, or says in one sentence why
it cannot.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import sources
from ..errors import ToolError
from . import debian

CACHE = sources.CACHE / "micropython"
VARIABLE = "DYNREG_MICROPYTHON"
_ASK_S = 20
_QUESTION = (
    "import sys, tls; v = sys.implementation.version; "
    "print(sys.maxsize, '%d.%d.%d' % v[:3] + (v[3:] and v[3] and '-' + v[3] or ''))"
)
_LIBRARIES = "usr/lib/i386-linux-gnu"
# By the package's own loader and libraries, wherever the folder is moved to; one process, no more.
_WRAPPER = f"""\
#!/bin/sh
here=${{0%/*}}
[ "$here" = "$0" ] && here=.
exec "$here/unpacked/{_LIBRARIES}/ld-linux.so.2" --library-path "$here/unpacked/{_LIBRARIES}" \\
    "$here/unpacked/usr/bin/micropython" "$@"
"""


class InterpreterError(ToolError):
    """An interpreter cannot be had or used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """bits: of its words. release: as it calls itself, "1.25.0" or "1.29.0-preview"."""

    name: str
    path: Path
    bits: int
    release: str

    @property
    def title(self) -> str:
        return f"{self.bits}-bit, {self.release}"


def wheel() -> Interpreter:
    """The pinned one of the virtual environment. InterpreterError where there is none."""
    found = shutil.which("micropython", path=sysconfig.get_path("scripts"))
    if not found:
        raise InterpreterError("there is no MicroPython for this system: use Linux or macOS")
    return ask(Path(found), "wheel")


def available() -> list[Interpreter]:
    """Those beside the wheel that are there: Debian's, if it was fetched, and VARIABLE's.

    InterpreterError where VARIABLE names what is none.
    """
    found = [ask(CACHE / "micropython", "debian-i386")] if fetched(CACHE) else []
    named = os.environ.get(VARIABLE, "").split(os.pathsep)
    return found + [ask(Path(path)) for path in named if path]


def why_not() -> str:
    """Why Debian's could not be fetched, as the set-up found; "" where it was."""
    if fetched(CACHE):
        return ""
    note = _note(CACHE)
    return note.read_text("utf-8").strip() if note.exists() else "./dev setup did not fetch it yet"


def ask(path: Path, name: str | None = None) -> Interpreter:
    """The interpreter at path, as it describes itself. InterpreterError."""
    command = [path.absolute(), "-c", _QUESTION]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_ASK_S)
        largest, release = answer.stdout.split()
        bits = int(largest).bit_length() + 1
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else "it does not answer as one"
        raise InterpreterError(
            f"{path} is no MicroPython with TLS that runs here: {why}"
        ) from None
    return Interpreter(name or path.name, path.absolute(), bits, release)


def fetched(folder: Path) -> bool:
    return (folder / "micropython").exists()


def fetch(folder: Path) -> None:
    """Unpacks Debian's 32-bit MicroPython below folder, beside a script that runs it.

    InterpreterError where it cannot be had; the reason is kept for why_not().
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            root = Path(scratch, "unpacked")
            debian.unpack(root, Path(scratch))
            # Nothing but what it runs by: the C library brings character sets and much more.
            for keep in ("usr/bin/micropython", _LIBRARIES):
                (folder / "unpacked" / keep).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(root / keep, folder / "unpacked" / keep)
        shutil.rmtree(folder / "unpacked" / _LIBRARIES / "gconv", ignore_errors=True)
        wrapper = folder / "micropython.part"
        wrapper.write_text(_WRAPPER)
        wrapper.chmod(0o755)
        ask(wrapper)
        wrapper.rename(folder / "micropython")
    except (debian.DebianError, InterpreterError, OSError) as error:
        why = f"there is no 32-bit MicroPython: {error}"
        shutil.rmtree(folder)
        folder.mkdir()
        _note(folder).write_text(why + "\n", "utf-8")
        raise InterpreterError(why) from None


def _note(folder: Path) -> Path:
    return folder / "why_not.txt"


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetches a 32-bit MicroPython.")
    parser.add_argument("folder", type=Path, nargs="?", default=CACHE)
    parser.add_argument(
        "--check", action="store_true", help="fetch nothing; exit 1 if it is to do"
    )
    parser.add_argument("--again", action="store_true", help="even where it failed before")
    options = parser.parse_args()
    failed = _note(options.folder).exists() and not options.again
    if fetched(options.folder) or failed:
        return 0
    if options.check:
        return 1
    try:
        fetch(options.folder)
    except InterpreterError as error:
        print(f"dev: {error}; all else goes on without it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
