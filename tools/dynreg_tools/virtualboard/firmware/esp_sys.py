"""sys as on an ESP32: its platform and machine, nothing that leads to the host. Device side.

The interpreter's own sys becomes that, in memory, where Linux allows it. This module stands in for
it elsewhere; what a program assigns (path, ps1, ps2) then counts from its next import on.
"""

from collections import namedtuple as _namedtuple

import _board
import _memory

_native = _board.native["sys"]
_UNIX_ONLY = ("atexit", "exc_info", "executable", "settrace", "tracebacklimit")
for _name in dir(_native):
    if _name[:2] != "__" and _name not in _UNIX_ONLY:
        globals()[_name] = getattr(_native, _name)
platform = "esp32"
_fields = [
    name
    for name in ("name", "version", "_machine", "_mpy", "_build", "_thread")
    if hasattr(_native.implementation, name)
]
_values = [getattr(_native.implementation, name) for name in _fields]
_values[2] = _board.config["machine"]
implementation = _namedtuple("", _fields)(*_values)
del _name, _fields, _values


def _into_interpreter():
    """True when the interpreter's own sys is an ESP32's from now on."""
    values = {"platform": platform, "implementation": implementation}
    _board.kept.append(implementation)
    try:
        with _board.host.open("/proc/self/mem", "r+b") as memory:
            _memory.replace(memory, _native.__dict__, values, _UNIX_ONLY)
    except OSError:
        return False
    return _native.platform == platform
