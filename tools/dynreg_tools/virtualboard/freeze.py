"""The firmware of a board: its modules as .mpy, so that loading them takes little heap."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..build import mpy
from .image import FIRMWARE

_SCRIPTS = ("_start.py", "_offline.py")  # run by name, so they stay sources


def freeze(folder: Path, frozen: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Compiles the firmware into folder/firmware, once for each state of the sources.

    frozen: board path -> host path of what the firmware freezes. Returns the folder to
    start from and the same map with compiled files. Raises CompileError.
    """
    sources = {path.name: path for path in sorted(FIRMWARE.glob("*.py"))}
    for board_path, host_path in frozen.items():
        sources[board_path[1:].replace("/", ".")] = Path(host_path)
    digest = hashlib.sha256()
    for name, path in sources.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    target = folder / "firmware"
    mark = target / "sources.sha256"
    compiled = {
        path: str(_mpy(target, path[1:].replace("/", "."))) if path.endswith(".py") else host
        for path, host in frozen.items()
    }
    on_board = {
        (path[:-3] + ".mpy" if path.endswith(".py") else path): host
        for path, host in compiled.items()
    }
    if mark.is_file() and mark.read_text() == digest.hexdigest():
        return target, on_board
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    todo: list[tuple[Path, str]] = []
    for name, path in sources.items():
        if name in _SCRIPTS:
            (target / name).write_bytes(path.read_bytes())
        elif name.endswith(".py"):
            todo.append((path, name))

    def compiled_one(source: tuple[Path, str]) -> None:
        path, name = source
        mpy.run(path, name, _mpy(target, name))  # with line numbers; a traceback is cut by names

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compiled_one, todo))
    mark.write_text(digest.hexdigest())
    return target, on_board


def _mpy(folder: Path, name: str) -> Path:
    return folder / (name.removesuffix(".py") + ".mpy")
