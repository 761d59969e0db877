"""The wheel's MicroPython, which is a CPython extension, started without what CPython's site does.

The wheel's own command first looks through all installed packages, which takes longer than a boot.
"""

import functools
import hashlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from .. import sources
from .errors import InterpreterError

_LAUNCHER = """\
#!{python} -IS
import sys

sys.path.append({folder!r})
from micropython_run import run_main

sys.exit(run_main(sys.argv))
"""
_SHEBANG = 127  # bytes of a first line that every system reads whole


@functools.cache
def path() -> Path:
    """What starts it; the wheel's own command where no launcher can be. InterpreterError."""
    found = importlib.util.find_spec("micropython_run")
    if found and found.origin:
        text = _LAUNCHER.format(python=sys.executable, folder=str(Path(found.origin).parent))
        first = text.partition("\n")[0]
        if len(first.encode()) <= _SHEBANG and first.count(" ") == 1:
            return _launcher(text)
    beside = str(Path(sys.executable).parent)
    command = shutil.which("micropython", path=beside) or shutil.which("micropython")
    if not command:
        raise InterpreterError(
            "there is no MicroPython beside this Python: pip install 'dynreg[hub]', on Linux or "
            "macOS"
        )
    return Path(command)


def _launcher(text: str) -> Path:
    """The file with this text, made where it is not there yet."""
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    launcher = sources.CACHE / "interpreters" / f"wheel-{name}" / "micropython"
    if not launcher.exists():
        launcher.parent.mkdir(parents=True, exist_ok=True)
        part = launcher.with_name(f"{os.getpid()}.part")  # another process may do the same
        part.write_text(text, "utf-8")
        part.chmod(0o755)
        part.rename(launcher)
    return launcher
