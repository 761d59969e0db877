"""micropython: kbd_intr also makes the serial line binary-clean, as a UART is. Device side.

`mpremote mount` talks binary between kbd_intr(-1) and kbd_intr(3). The relay, which gives each
newline its carriage return, is told in the stream itself where that starts and ends.
"""

import sys

import _board

_native = _board.native["micropython"]
const = _native.const
RingIO = _native.RingIO
heap_lock = _native.heap_lock
heap_unlock = _native.heap_unlock
mem_current = _native.mem_current
mem_info = _native.mem_info
mem_peak = _native.mem_peak
mem_total = _native.mem_total
opt_level = _native.opt_level
qstr_info = _native.qstr_info
schedule = _native.schedule
stack_use = _native.stack_use
_stdout = sys.stdout


def alloc_emergency_exception_buf(size):
    """Fixed on the unix port; here for programs that call it."""


def kbd_intr(char):
    if char < 0:
        _native.kbd_intr(char)
    _stdout.write("\0%s%s\0" % (_board.config["token"], "-" if char < 0 else "+"))
    if char >= 0:
        _native.kbd_intr(char)
