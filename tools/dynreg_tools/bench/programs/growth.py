"""How much more heap is held after the hundredth reconnect than after the first: a leak.

Between the two readings nothing here allocates: names and strings came with the .mpy, readings are
small integers on the stack. So what grew is the library's, or the interpreter's for it.

New names (strings that the interpreter interns, and never frees) mostly find room in a chunk that
is there, so bytes show them late: qstr_info() says at both readings how many there are.
"""

import gc

import mark
import micropython
from dynreg import Device, port

RECONNECTS = 100


def held():
    micropython.qstr_info()
    gc.collect()
    return gc.mem_alloc()


def growth(session):
    session.connect()
    first = held()
    for _ in range(RECONNECTS - 1):
        session.connect()
    return held() - first


# A refused handshake's names come once; at which of the hundred is chance where PSK is tried anew.
port.step("connect.trust", "untrusted", "", OSError(0))
device = Device("device_info.json")
session = device.connect()
device.sync_clock()
mark.clock_set(session.tls)
print("@growth", growth(session))
session.disconnect()
