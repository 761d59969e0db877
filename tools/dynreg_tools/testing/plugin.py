"""The pytest plugin: a local hub, virtual boards, faults, MicroPython's modules on CPython.

pytest loads it by its entry point, so nothing is imported before a fixture is asked for. What
runs is ended after each test, all files lie in the test's tmp_path, all ports are free ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..hub import Hub
    from ..virtualboard import Board
    from .board import VirtualBoard
    from .faults import Faults
    from .process import HubProcess


def _load(module: str, fixture: str) -> Any:
    """A part of the package; the test fails with one sentence where it needs what is not here."""
    from ..errors import ToolError
    from ..extras import load

    try:
        return load(module, f"the fixture {fixture}")
    except ToolError as error:
        return pytest.fail(str(error), pytrace=False)


@pytest.fixture
def hub_options() -> dict[str, Any]:
    """The hub's options, the fields of dynreg_tools.hub.settings.Settings: override it."""
    return {}


@pytest.fixture
def hub(
    request: pytest.FixtureRequest, tmp_path: Path, hub_options: dict[str, Any]
) -> Iterator[Hub]:
    """A local hub in a thread of this process; what went wrong inside it fails the test.

    It is strict: what the library never sends is refused, though the cloud might take it.
    @pytest.mark.parametrize("hub", [options], indirect=True) gives it more options.
    """
    options = {"data": tmp_path / "hub", "cert_key": "ec", "strict": True, **hub_options}
    with _load("hub.hub", "hub").Hub(**options | getattr(request, "param", {})) as hub:
        yield hub


@pytest.fixture
def hub_process(tmp_path: Path) -> Iterator[HubProcess]:
    """A local hub in a process of its own: its addresses, and faults by its control port."""
    _load("hub.hub", "hub_process")
    with _load("testing.process", "hub_process").HubProcess(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def faults(hub: Hub) -> Faults:
    """What goes wrong on purpose at the hub: faults.on("http-page:503*2")."""
    return _load("testing.faults", "faults").Faults(hub)


@pytest.fixture(scope="session")
def board_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a board with the library and our programs on it; each test gets a copy."""
    return _load("testing.board", "virtual_board").make_image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def blank_board(tmp_path: Path) -> Board:
    """A virtual board as the factory sends it: MicroPython, and no file of ours."""
    return _load("testing.board", "blank_board").blank(tmp_path / "blank_board")


@pytest.fixture
def virtual_board(tmp_path: Path, board_image: Path, hub: Hub) -> Iterator[VirtualBoard]:
    """A virtual board that knows the hub and has never registered there; off at first."""
    module = _load("testing.board", "virtual_board")
    with module.VirtualBoard.copy_of(board_image, tmp_path / "board", hub) as board:
        yield board


@pytest.fixture
def provisioned_board(virtual_board: VirtualBoard) -> VirtualBoard:
    """The virtual board after a boot in which it has registered and logged in."""
    virtual_board.register()
    return virtual_board


@pytest.fixture
def fast_clock(virtual_board: VirtualBoard) -> Callable[[float], None]:
    """Waits of the virtual board's program take no time; its clock goes on as if they had.

    Called with a speed above 1 that clock also runs so many times as fast as this machine's.
    """

    def speed(times: float) -> None:
        virtual_board.fast_forward = times

    speed(1)
    return speed


@pytest.fixture
def on_cpython() -> Iterator[Callable[[str | Path], ModuleType]]:
    """on_cpython("my_app/thermostat.py"): the module, imported here with MicroPython's modules.

    They and the library are there until the test ends, from the first call on.
    """
    from ..errors import ToolError
    from .cpython import Imports

    imports = Imports()

    def module(path: str | Path) -> ModuleType:
        try:
            return imports.module(Path(path))
        except ToolError as error:
            return pytest.fail(str(error), pytrace=False)

    yield module
    imports.undo()
