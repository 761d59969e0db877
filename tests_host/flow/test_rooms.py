"""A room that was left is really gone: nothing that outlives it may hold it."""

import json
import re

import pytest

from tools.virtualboard import Board

# Each room gets a mark on its way out; what the collector then leaves is marks that are held.
PROGRAM = """
import gc, sys
from dynreg import Device, port

MARK = 400000
marked = set()
real = port.forget

def forget(*names):
    for name in names:
        room = sys.modules.get("dynreg." + name)
        if room and name not in marked:
            room.MARK = bytearray(MARK)
            marked.add(name)
    room = None
    real(*names)

def look(when):
    gc.collect()
    rooms = [name[7:] for name in sys.modules if name.startswith("dynreg.")]
    print("rooms: %s: %d of %d held, %s; here: %s" % (when, gc.mem_alloc() // MARK, len(marked),
          " ".join(sorted(marked)), " ".join(sorted(rooms))))

port.forget = forget
device = Device()
look("read")
device.register()
look("registered")
session = device.connect()
look("connected")
device.sync_clock()
look("clock set")
device.report()
look("reported")
session.publish("event", "x", 1)
marked.clear()
session.connect()
look("connected again")
print("rooms: done")
"""
ALWAYS = {"device", "device_info", "errors", "log", "port"}
SESSION = {"session", "packets", "mqtt", "link", "wire", "qos1"}
EXPECTED = {
    "read": {"device_file", "record", "credentials", "notes"},
    "registered": {"registration", "first_boot", "tls", "trust"},
    "connected": {"connection", "signing"},
    "clock set": {"timesync"},
    "reported": {"status"},
    "connected again": {"connection"},
}


@pytest.mark.parametrize("hub", [{}, {"psk": False}], indirect=True)
def test_each_room_that_was_left_is_gone(bench):
    settings = bench.board.folder / "board.json"
    values = json.loads(settings.read_text())
    settings.write_text(json.dumps(values | {"heap": "16M"}))
    bench.board = Board(bench.board.folder)
    bench.board.write_file("/main.py", PROGRAM)
    output = bench.boot(until=re.compile("rooms: done|Traceback"))
    for when, rooms in EXPECTED.items():
        held, marked, names, here = re.search(
            rf"rooms: {when}: (\d+) of (\d+) held, (.*); here: ([a-z0-9_ ]*)", output
        ).groups()
        assert rooms <= set(names.split()), (when, names)
        stay = ALWAYS if when == "read" else ALWAYS | SESSION
        assert set(here.split()) <= stay, (when, here)
        assert held == "0", f"{when}: {held} of {marked} rooms are held by something: {output}"
