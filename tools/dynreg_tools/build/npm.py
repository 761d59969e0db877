"""MicroPython's WebAssembly builds, which npm has, unpacked into a folder with what runs them.

npm itself is asked for the package, so the registry is this machine's npm's; the file that comes
must be the one pinned in interpreters.toml.
"""

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from .errors import InterpreterError

RUNNER = Path(__file__).with_name("node_runner.mjs")
_NPM_S = 120
_WRAPPER = """\
#!/bin/sh
here=${0%/*}
[ "$here" = "$0" ] && here=.
exec node "$here/run.mjs" "$@"
"""


def install(package: str, files: dict[str, str], folder: Path, scratch: Path) -> str:
    """Unpacks package ("@scope/name@release"); the script, to lie in folder, that runs it.

    InterpreterError where this machine has no Node.js, no npm, or no network.
    """
    if not shutil.which("node") or not shutil.which("npm"):
        raise InterpreterError("it comes from npm and runs on Node.js, which are not here")
    command = ["npm", "pack", "--silent", "--ignore-scripts", package]
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_NPM_S,
        )
    except subprocess.TimeoutExpired:
        raise InterpreterError(f"npm pack is not done within {_NPM_S} s") from None
    if done.returncode:
        last = " ".join(done.stderr.strip().splitlines()[-1:]) or f"exit code {done.returncode}"
        raise InterpreterError(f"npm pack failed (no network?): {last}")
    (name, digest), *_ = files.items()
    archive = scratch / name
    if not archive.is_file() or hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
        raise InterpreterError(f"{package} is not the file that was pinned")
    with tarfile.open(archive) as tar:
        for member in ("package/micropython.mjs", "package/micropython.wasm"):
            tar.extract(member, folder)
    shutil.copy(RUNNER, _runner(folder))
    return _WRAPPER


def is_current(folder: Path) -> bool:
    """Whether what lies in folder is run as this module says, or needs no Node.js."""
    runner = _runner(folder)
    return not runner.exists() or runner.read_bytes() == RUNNER.read_bytes()


def _runner(folder: Path) -> Path:
    return folder / "run.mjs"
