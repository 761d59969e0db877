"""Bytes of .mpy of each module in lib/, beside those of a commit."""

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from ..errors import ToolError
from ..sources import LIB, ROOT
from . import mpy


class SizeError(ToolError):
    """The sizes cannot be compared; the message is one sentence with the remedy."""


def compared(commit: str, scratch: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Sizes by module, now and in a commit. SizeError, mpy.CompileError."""
    command = ["git", "archive", "--format=zip", commit, "lib"]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True)
    except FileNotFoundError:
        raise SizeError("there is no git here, so nothing to compare with: install it") from None
    if result.returncode:
        why = result.stderr.decode().strip().splitlines()[-1:]
        raise SizeError(f"git does not give lib/ of {commit}: {' '.join(why)}")
    with zipfile.ZipFile(io.BytesIO(result.stdout)) as archive:
        archive.extractall(scratch / "before")
    now = mpy.sizes(LIB, scratch / "now.mpy")
    return now, mpy.sizes(scratch / "before" / "lib", scratch / "before.mpy")


def summary(now: dict[str, int], before: dict[str, int], commit: str) -> dict[str, Any]:
    return {
        "modules": {
            name: {"bytes": now.get(name), "before": before.get(name)}
            for name in sorted({*now, *before})
        },
        "total": mpy.totals(now),
        "before": {"commit": commit, "total": mpy.totals(before)},
    }
