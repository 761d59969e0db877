"""micropython: kbd_intr also makes the serial line binary-clean, as a UART is. Device side.

`mpremote mount` talks binary between kbd_intr(-1) and kbd_intr(3). The relay, which gives each
newline its carriage return, is told in the stream itself where that starts and ends.
"""

import sys as _sys

import _board

_native = _board.native["micropython"]
for _name in dir(_native):
    if _name[:2] != "__" and _name not in ("mem_current", "mem_peak", "mem_total"):
        globals()[_name] = getattr(_native, _name)
del _name
_stdout = _sys.stdout


def alloc_emergency_exception_buf(size):
    """Fixed on the unix port; here for programs that call it."""


def kbd_intr(char):
    if not isinstance(char, int) or char < 0:
        _native.kbd_intr(char)
    _stdout.write("\0%s%s\0" % (_board.config["token"], "-" if char < 0 else "+"))
    if char >= 0:
        _native.kbd_intr(char)
