"""Work on a flash image while its board is off, through the real MicroPython."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import BoardError

FIRMWARE = Path(__file__).resolve().parent / "firmware"
UMASK = 0o077  # of MicroPython's process: a board's files hold its secrets
_TIMEOUT_S = 30


def run_steps(micropython: str, image: Path, size: int, fs: str, steps: list) -> list:
    """Runs steps ([what, path, host path]) on an image and returns their results.

    Steps: format, list, kind, read, write, remove. Raises OSError with the board's number when a
    step fails, BoardError when MicroPython itself does.
    """
    job = {"image": str(image), "size": size, "fs": fs, "steps": steps}
    command = [micropython, "-X", "heapsize=512K", str(FIRMWARE / "_offline.py")]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            input=json.dumps(job) + "\n",
            env=board_environment(),
            umask=UMASK,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoardError(f"MicroPython did not work on {image}: {error}") from error
    try:
        result = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise BoardError(f"MicroPython failed on {image}: {done.stderr or done.stdout}") from error
    if isinstance(result, dict):
        number = result["errno"]
        raise OSError(number, os.strerror(number), str(steps[-1][1]))
    return result


def board_environment() -> dict[str, str]:
    """The host's environment without what the unix port would read from it; time is UTC."""
    dropped = ("HOME", "MICROPYPATH", "MICROPYINSPECT")
    return {k: v for k, v in os.environ.items() if k not in dropped} | {"TZ": "UTC"}


def read_file(micropython: str, image: Path, size: int, fs: str, path: str) -> bytes:
    """The contents of a file on the image. Raises OSError(2) when it is not there."""
    with tempfile.TemporaryDirectory() as folder:
        sink = Path(folder) / "data"
        run_steps(micropython, image, size, fs, [["read", path, str(sink)]])
        return sink.read_bytes()


def write_files(
    micropython: str, image: Path, size: int, fs: str, contents: Mapping[str, bytes | str]
) -> None:
    """Writes files on the image, making their folders."""
    steps = []
    with tempfile.TemporaryDirectory() as folder:
        for path, data in contents.items():
            source = Path(folder) / str(len(steps))
            source.write_bytes(data.encode() if isinstance(data, str) else data)
            steps.append(["write", path, str(source)])
        run_steps(micropython, image, size, fs, steps)
