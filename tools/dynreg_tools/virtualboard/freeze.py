"""The firmware of a board: its modules as .mpy, so that loading them takes little heap."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .. import files
from ..build import mpy
from ..sources import CACHE
from .errors import BoardError
from .image import FIRMWARE

_DEFAULT_UMQTT = CACHE / "firmware" / "umqtt" / "simple.py"  # build/firmware_libraries.py
_SCRIPTS = ("_start.py", "_offline.py")  # run by name, so they stay sources


def libraries(settings: dict[str, Any]) -> dict[str, str]:
    """What the firmware freezes besides its own modules: path on the board -> path on the host.

    settings: of board.json; then $DYNREG_UMQTT and $DYNREG_UREQUESTS, then .cache/firmware and the
    wheel's own. Raises BoardError.
    """
    umqtt = settings.get("umqtt") or os.environ.get("DYNREG_UMQTT") or str(_DEFAULT_UMQTT)
    frozen = {"/ntptime.py": str(FIRMWARE / "ntptime.py")}
    if Path(umqtt).is_file():
        frozen["/umqtt/simple" + Path(umqtt).suffix] = umqtt
    elif settings.get("umqtt"):
        raise BoardError(f"the board's umqtt/simple.py is gone: {umqtt}")
    urequests = settings.get("urequests") or os.environ.get("DYNREG_UREQUESTS")
    if urequests:
        frozen["/requests" + Path(urequests).suffix] = urequests
    return frozen


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
    if mark.is_file() and mark.read_text("utf-8") == digest.hexdigest():
        return target, on_board
    target.mkdir(mode=0o700, exist_ok=True)
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
    mark.write_text(digest.hexdigest(), "utf-8")
    for made in target.iterdir():
        made.chmod(files.PRIVATE)
    return target, on_board


def _mpy(folder: Path, name: str) -> Path:
    return folder / (name.removesuffix(".py") + ".mpy")
