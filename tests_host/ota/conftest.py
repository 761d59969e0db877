"""A board whose program takes bundles, and what it makes of them."""

import json
from pathlib import Path

import pytest

from dynreg_tools.bundles import pack
from dynreg_tools.testing.board import VirtualBoard, make_image
from dynreg_tools.virtualboard import Board

PRODUCT = "OTATESTS00"
# What a program of the tests is: it says its version, takes updates, and confirms itself.
MAIN = """
from dynreg import Device, unix_time
from dynreg.services import ota
import mine

print("PROGRAM", mine.VERSION)
session = Device().connect(attempts=0)
updater = ota.Updater(session)
{confirm}
told = updater.state.get("tell")
while True:
    session.poll(200)
    updater.poll()
    state = updater.state
    print("STANDS", updater.version, updater.trial, bool(state.get("job")), state.get("tell"))
    if told and not state.get("tell"):
        print("TOLD", told[1])
    told = state.get("tell")
    if told and not state.get("tell"):
        print("TOLD", told[1])
    told = state.get("tell")
"""
CONFIRM = "updater.confirm()"
_PAGE = bytes(range(256)) * 20  # larger than a block of the flash


def program(
    folder, version, main=MAIN, confirm=CONFIRM, library=False, pages=1, **trial
) -> pack.Bundle:
    """A bundle of a program that says its version; trial: boots and seconds."""
    place = folder / f"program-{version}"
    (place / "web").mkdir(parents=True, exist_ok=True)
    (place / "main.py").write_text(main.replace("{confirm}", confirm))
    (place / "mine.py").write_text(f"VERSION = {version!r}\n")
    (place / "web" / "page.bin").write_bytes(_PAGE * pages)
    rules = pack.Trial(**{"boots": 3, "seconds": 0, **trial})
    return pack.pack(place, version, rules, library=library)


class OtaBoard:
    """A virtual board with version 1.0 of a program, at a hub without TLS unless asked for."""

    def __init__(self, board: VirtualBoard, folder: Path) -> None:
        self.board = board
        self.hub = board.hub
        self.folder = folder

    @property
    def name(self) -> str:
        return self.board.name

    def program(self, version, *args, **more):
        return program(self.folder, version, *args, **more)

    def offer(self, bundle, scheme="http"):
        """Has the board take it, now or when it next says its version."""
        return self.hub.services.update(self.name, bundle.version, bundle.data, scheme)

    def told(self) -> list[tuple[str, str, int]]:
        """(version, state, code) of each report about an update, without progress."""
        return [
            (event["version"], event["state"], event["code"])
            for event in self.hub.events
            if event["event"] == "update" and event["state"] != "downloading"
        ]

    def row(self) -> dict:
        """How the hub says that the board stands."""
        return self.hub.services.updates()[self.name]

    def state(self) -> dict:
        """The board's own state, while it is off."""
        return json.loads(self.board.board.read_file("/" + pack.STATE)[8:])


@pytest.fixture(scope="session")
def ota_image(tmp_path_factory) -> Path:
    """The folder of a board with version 1.0 in its first slot."""
    folder = tmp_path_factory.mktemp("ota")
    image = make_image(folder)
    files = pack.factory(program(folder, "1.0"))
    Board(image).write_files({f"/{name}": data for name, data in files.items()})
    return image


@pytest.fixture
def board_image(ota_image) -> Path:
    return ota_image


@pytest.fixture
def hub_options():
    return {"product_id": PRODUCT}


@pytest.fixture
def ota(virtual_board, tmp_path) -> OtaBoard:
    """Plain connections, and no wait that takes time; registered."""
    hub = virtual_board.hub
    virtual_board.configure(endpoint={"gateway": hub.http, "mqtt": hub.mqtt})
    virtual_board.fast_forward = 1
    made = OtaBoard(virtual_board, tmp_path)
    with virtual_board.power_on() as running:
        running.wait_for("STANDS 1.0 False False None", 30)
    return made
