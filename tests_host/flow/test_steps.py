"""A step's modules are really gone after it: nothing that outlives the step may hold them."""

import json
import re

import pytest

from dynreg_tools.virtualboard import Board

# Each module gets a mark on its way out; what the collector then leaves is marks that are held.
PROGRAM = """
import gc, sys
from dynreg import Device, port

MARK = 400000
marked = []
real = port.unload

def unload(but):
    for name in sys.modules:
        module = sys.modules[name]
        if name not in but and name[:7] == "dynreg." and not hasattr(module, "__path__"):
            if not hasattr(module, "MARK"):
                module.MARK = bytearray(MARK)
                marked.append(name)
    module = None
    real(but)

def look(when):
    gc.collect()
    here = [n[7:] for n in sys.modules if n[:7] == "dynreg." and n[7:] not in PACKAGES]
    print("modules: %s: %d of %d held, %s; here: %s" % (when, gc.mem_alloc() // MARK, len(marked),
          " ".join(sorted(set(n[7:] for n in marked))), " ".join(sorted(here))))

PACKAGES = ("storage", "register", "connect", "mqtt", "roots")
port.unload = unload
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
del marked[:]
session.connect()
look("connected again")
print("modules: done")
"""
ALWAYS = {"device", "errors", "log", "port"}
STAYING = ALWAYS | {"connect.link", "mqtt.acknowledged", "mqtt.encode"}  # once it was needed
WITH_THE_SESSION = 1  # it lives by its object, not by name
EXPECTED = {
    "read": {"storage.device_file", "storage.credentials", "storage.notes"},
    "registered": {"register.first_boot", "register.gateway", "storage.store", "connect.tls"},
    "connected": {"connect.login", "connect.adapter", "connect.hmac"},
    "clock set": {"mqtt.timesync"},
    "reported": {"status"},
    "connected again": {"connect.tls", "connect.login"},
}


@pytest.mark.parametrize("hub", [{}, {"psk": False}], indirect=True)
def test_a_steps_modules_are_gone_after_it(bench):
    settings = bench.board.folder / "board.json"
    values = json.loads(settings.read_text())
    settings.write_text(json.dumps(values | {"heap": "16M"}))
    bench.board = Board(bench.board.folder)
    bench.board.write_file("/main.py", PROGRAM)
    output = bench.boot(until=re.compile("modules: done|Traceback"))
    for when, modules in EXPECTED.items():
        held, marked, names, here = re.search(
            rf"modules: {when}: (\d+) of (\d+) held, (.*); here: ([a-z0-9_. ]*)", output
        ).groups()
        names = set(names.split())
        assert modules <= names, (when, names)
        assert set(here.split()) <= STAYING, (when, here)
        staying = 0 if when in ("read", "registered") else WITH_THE_SESSION
        assert int(held) == staying, f"{when}: {held} of {marked} are held: {output}"
