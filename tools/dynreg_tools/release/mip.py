"""The packages for mip, served as files are, onto blank virtual boards by mip and by mpremote."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

from .. import demo, sources
from ..boards import content
from ..hub import Hub
from ..testing import board as testing
from ..virtualboard import Board
from .steps import ReleaseError, command

_PROGRAM = Path(__file__).with_name("onboard.py")
_INSTALL_S = 120


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a static file server on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wanted() -> set[str]:
    """The files that a board has of all packages."""
    names = {*sources.modules(), *chain(*sources.services().values())}
    return {f"/lib/{name.removesuffix('.py')}.mpy" for name in names}


def by_mip(urls: list[str], version: str, folder: Path, hub: Hub) -> str:
    """MicroPython's own mip installs, every module is imported, and the board boots whole.

    ReleaseError, AssertionError, TimeoutError.
    """
    board = testing.VirtualBoard(testing.blank(folder), hub)
    blank = board.board
    ((ssid, password),) = testing.WIFI.items()
    modules = [name[len("/lib/") : -len(".mpy")] for name in sorted(wanted())]
    names = [name.replace("/", ".").removesuffix(".__init__") for name in modules]
    todo = {"wifi": [ssid, password], "urls": urls, "modules": names}
    ours = {"/install.json": json.dumps(todo), "/main.py": _PROGRAM.read_bytes()}
    blank.write_files(ours | {testing.CA: hub.ca_der.read_bytes()})
    said = board.boot(">>> ", _INSTALL_S)
    if f"dynreg {version} /lib/dynreg/__init__.mpy" not in said:
        raise ReleaseError(f"mip on the board: {said.strip()[-500:]}")
    for path in ours:
        blank.remove_file(path)
    same_files(blank, wanted())
    return boots_whole(board)


def boots_whole(board: testing.VirtualBoard) -> str:
    """boot.py, main.py and device_info.json beside the library: registers once, logs in twice."""
    blank, hub = board.board, board.hub
    settings = blank.folder / "board.json"
    values = json.loads(settings.read_text("utf-8")) | {"ntp": list(hub.ntp)}
    settings.write_text(json.dumps(values), "utf-8")
    blank.write_files(content.programs())
    again = testing.VirtualBoard(Board(blank.folder), hub)
    again.configure()
    demo.check_steps(again.boot(), (*demo.REGISTRATION, *demo.STEPS))
    demo.check_steps(again.boot())
    kinds = [event["event"] for event in hub.events]
    found = {kind: kinds.count(kind) for kind in ("registered", "login")}
    if found != {"registered": 1, "login": 2}:
        raise ReleaseError(f"in two boots the hub saw {found}")
    return "registered once, logged in twice"


def by_mpremote(packages: list[str], folder: Path) -> str:
    """`mpremote mip install`, of URLs or files, onto a blank board. ReleaseError."""
    board = testing.blank(folder)
    with board.power_on() as running:
        running.wait_repl()
        words = ("connect", running.port, "mip", "install", *packages)
        command(sys.executable, "-m", "mpremote", *words, cwd=folder)
    same_files(board, wanted())
    return f"{len(packages)} packages, {len(wanted())} files"


def same_files(board: Board, files: set[str]) -> None:
    """ReleaseError unless /lib holds these."""
    has = set(_below(board, "/lib"))
    if has != files:
        raise ReleaseError(f"the board lacks {files - has or 'nothing'}, has {has - files} more")


def _below(board: Board, folder: str) -> Iterator[str]:
    for name in board.listdir(folder):
        place = f"{folder}/{name}"
        yield from [place] if "." in name else _below(board, place)
