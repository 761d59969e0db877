"""Boards of one product that lose their power at random, at a hub that does so too."""

import json
import random
import secrets
import shutil
import threading
import time
from base64 import b64encode
from pathlib import Path

from dynreg_tools.errors import ToolError
from dynreg_tools.hub import Hub
from dynreg_tools.testing.board import CA, VirtualBoard
from dynreg_tools.testing.process import HubProcess
from dynreg_tools.virtualboard import Board
from dynreg_tools.virtualboard.board import TORN

VERSION = "1.1"
END_S = 240  # a board's last power-on, on a machine that has much else to do
MOST_CUTS, _LAST_WRITE = 4, 500
_CUT_S = 20  # of one that a flash write ends, if it comes to that
_ON_S = (0.3, 3.0)  # of a power-on that no flash write ends
_PORTS = range(20000, 32000, 10)  # below those that systems give to clients


class Member:
    """One board: an update that waits for it, and when its power goes.

    expected: (version that runs, state, code) in the end.
    """

    def __init__(self, board: VirtualBoard, expected, seed: str) -> None:
        chance = random.Random(seed)
        self.board = board
        self.expected = expected
        self.powers = [_end(chance) for _ in range(chance.randint(1, MOST_CUTS))]
        self.said: list[str] = []
        self.cuts = 0

    def live(self, row) -> None:
        """Through all its cuts to the end of its update; row(name) is what the hub says of it."""
        for power, seconds in self.powers:
            if self._ended(row):
                break
            with self.board.power_on(**power) as running:
                deadline = time.monotonic() + seconds
                while not (running.power_lost or self._ended(row)):
                    if time.monotonic() > deadline:
                        break
                    running.wait_change(0.5)
                self.cuts += running.power_lost
                self.said.append(running.output)
        with self.board.power_on() as running:
            deadline = time.monotonic() + END_S
            while not self._ended(row):
                assert time.monotonic() < deadline, running.output[-2000:]
                time.sleep(0.5)
            running.reset()
            running.wait_for(f"STANDS {self.expected[0]} False False None", 60)
            self.said.append(running.output)

    def _ended(self, row) -> bool:
        return row(self.board.name)["state"] in ("done", "fail")


def _end(chance: random.Random):
    """How a power-on ends: at a flash write, or after so many seconds."""
    if chance.random() < 0.25:
        return {}, chance.uniform(*_ON_S)
    return {"power_cut": chance.randint(1, _LAST_WRITE), "torn": chance.choice(TORN)}, _CUT_S


class Cloud:
    """A hub in a process of its own, always at the same ports, whose power goes at random."""

    def __init__(self, data: Path, product_id: str, base: int) -> None:
        self._hub = HubProcess(data, "--product-id", product_id, "--port-base", str(base))
        self._up = threading.Lock()
        self.outages = 0

    def __enter__(self) -> "Cloud":
        self._hub.__enter__()
        return self

    def __exit__(self, *_) -> None:
        self._hub.__exit__()

    def lose_power(self) -> None:
        with self._up:
            self._hub.kill()
            self._hub.__exit__()
            self._hub.__enter__()
            self.outages += 1

    def kick(self, names: list[str]) -> None:
        """Ends the connection of the first of these boards that has one."""
        with self._up:
            asked = (self._hub.ask("POST", f"/devices/{name}/kick") for name in names)
            any(answer["kicked"] for answer in asked)

    def row(self, name: str) -> dict:
        """What the hub says of a board's update."""
        with self._up:
            rows = self._hub.ask("GET", "/updates")["updates"]
        return next(row for row in rows if row["name"] == name)


def with_ports(start):
    """start(base) with a port base at which the hub's ports are free."""
    for base in random.sample(_PORTS, 20):
        try:
            return start(base)
        except ToolError as error:
            if "in use" not in str(error):
                raise
    raise AssertionError("no ports are free")


def members(image: Path, folder: Path, product_id: str, updates, seed: str):
    """(boards that are known to the hub in folder / "hub" and have an update, its port base).

    updates: for each board (the file of version 1.1 that it is to take, what is to come of it).
    """

    def start(base):
        hub = Hub(
            data=folder / "hub", product_id=product_id, cert_key="ec", strict=True, port_base=base
        )
        hub.start()
        return hub, base

    hub, base = with_ports(start)
    try:
        made = [
            Member(_board(image, folder, number, hub, data), expected, f"{seed}-{number}")
            for number, (data, expected) in enumerate(updates)
        ]
    finally:
        hub.stop()
    return made, base


def _board(image, folder, number, hub, data) -> VirtualBoard:
    place = folder / f"board-{number}"
    shutil.copytree(image, place)
    settings = place / "board.json"
    values = json.loads(settings.read_text("utf-8"))
    values |= {"mac": f"24:6f:28:00:00:{number:02x}", "ntp": list(hub.ntp)}
    settings.write_text(json.dumps(values), "utf-8")
    board = VirtualBoard(Board(place), hub)
    board.fast_forward = 1
    board.board.write_file(CA, hub.ca_der.read_bytes())
    secret = b64encode(secrets.token_bytes(16)).decode()
    hub.add_device(board.name, secret)
    board.configure(
        key_deviceinfo={"deviceSecret": secret},
        endpoint={"gateway": hub.http, "mqtt": hub.mqtt},
    )
    hub.services.update(board.name, VERSION, data, "http")
    return board
