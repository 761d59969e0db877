"""A fleet takes an update while boards lose their power, sessions are ended and the hub restarts.

Every board ends on the new version, or where that is bad on the old one, and the hub knows. What
happens to whom comes from a seed.
"""

import json
import random
import re
import socket
import time
from contextlib import ExitStack

import pytest

from dynreg_tools.hub import Hub
from dynreg_tools.testing.board import VirtualBoard
from dynreg_tools.virtualboard import Board
from tests_host.ota.conftest import PRODUCT, program

_PORTS = 7
_END_S = 240


def free_base():
    """Seven ports in a row that nobody has, for a hub that comes back at the same place."""
    for base in random.sample(range(20000, 50000, _PORTS), 200):
        try:
            with ExitStack() as stack:
                for port in range(base, base + _PORTS):
                    kind = socket.SOCK_DGRAM if port - base in (4, 5) else socket.SOCK_STREAM
                    sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    sock.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise AssertionError("no seven ports in a row are free")


def fleet_of(count, image, folder, hub):
    """Boards with version 1.0, each with a MAC of its own."""
    boards = []
    for number in range(count):
        board = VirtualBoard.copy_of(image, folder / f"b{number}", hub)
        settings = board.board.folder / "board.json"
        values = json.loads(settings.read_text()) | {"mac": f"24:6f:28:00:01:{number:02x}"}
        settings.write_text(json.dumps(values))
        board.board = Board(board.board.folder)
        board.configure(endpoint={"gateway": hub.http, "mqtt": hub.mqtt})
        boards.append(board)
    return boards


def trouble(chance, hub, options, boards, running):
    """One thing that goes wrong; the hub, which may be another one after it."""
    what = chance.random()
    number = chance.randrange(len(boards))
    if what < 0.6:
        running[number].power_cycle()
    elif what < 0.9:
        hub.kick(boards[number].name)
    else:
        hub.stop()
        time.sleep(chance.random())
        hub = Hub(**options)
        hub.start()
    time.sleep(chance.random() * 0.4)
    return hub


@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
@pytest.mark.parametrize(("count", "seed"), [(3, 1), pytest.param(20, 2, marks=pytest.mark.slow)])
def test_a_fleet_ends_on_one_version(ota_image, tmp_path, count, seed, bad):
    chance = random.Random(seed)
    options = {"data": tmp_path / "hub", "product_id": PRODUCT, "cert_key": "ec"}
    options["port_base"] = free_base()
    confirm = "raise ValueError('out of order')" if bad else "updater.confirm()"
    bundle = program(tmp_path, "1.1", confirm=confirm, boots=3 if bad else 60)
    hub = Hub(**options)
    hub.start()
    with ExitStack() as stack:
        stack.callback(lambda: hub.stop())  # noqa: PLW0108 (the one that runs at the end)
        boards = fleet_of(count, ota_image, tmp_path, hub)
        running = [stack.enter_context(board.power_on(fast_forward=20)) for board in boards]
        for one in running:
            one.wait_for("STANDS 1.0 False False None", 120)
        for board in boards:
            hub.services.update(board.name, bundle.version, bundle.data, "http")
        for _ in range(count * 4):
            hub = trouble(chance, hub, options, boards, running)
        deadline = time.monotonic() + _END_S
        ended = {"done", "fail"}
        while not all(row["state"] in ended for row in hub.services.updates().values()):
            assert time.monotonic() < deadline, hub.services.updates()
            time.sleep(0.2)
        version = "1.0" if bad else "1.1"
        for one in running:
            one.reset()
            one.wait_for(f"STANDS {version} False False None", 120)
        rows = hub.services.updates()
        said = [one.output for one in running]
    assert {row["reported"] for row in rows.values()} == {version}
    assert {row["state"] for row in rows.values()} == {"fail" if bad else "done"}
    assert len(rows) == count
    for output in said:
        assert set(re.findall(r"PROGRAM (\S+)", output)) <= {"1.0", "1.1"}
        assert "ImportError" not in output
