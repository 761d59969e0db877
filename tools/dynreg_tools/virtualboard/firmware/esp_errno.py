"""errno with the numbers of an ESP32 (newlib), and the host's numbers turned into them.

Device side. The interpreter's own errno is asked by its compiler (`errno.ETIMEDOUT` in a source is
looked up while it is compiled) and for the text of an OSError; neither looks at a module in its
place. So `_into_interpreter` gives that one the ESP32's numbers, in memory, where Linux allows it.
"""

import _board
import _memory

EPERM = 1
ENOENT = 2
EIO = 5
EBADF = 9
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EEXIST = 17
ENODEV = 19
EISDIR = 21
EINVAL = 22
EOPNOTSUPP = 95
ECONNRESET = 104
ENOBUFS = 105
ECONNREFUSED = 111
EADDRINUSE = 112
ECONNABORTED = 113
ETIMEDOUT = 116
EHOSTUNREACH = 118
EINPROGRESS = 119
EALREADY = 120
ENOTCONN = 128

errorcode = {value: name for name, value in globals().items() if name[0] == "E"}
_native = _board.native["errno"]
_from_host = {
    getattr(_native, name): value
    for value, name in errorcode.items()
    if hasattr(_native, name) and getattr(_native, name) != value
}


def from_host(number):
    """The ESP32's number for one of the host's; unknown ones are kept."""
    if number == 32:
        return ECONNRESET  # a write to a closed connection: EPIPE is unknown on an ESP32
    return _from_host.get(number, number)


def _into_interpreter():
    """True when the interpreter's own errno has the ESP32's numbers from now on."""
    try:
        with _board.host.open("/proc/self/mem", "r+b") as memory:
            for table in (_native.__dict__, _native.errorcode):
                _memory.renumber(memory, table, _from_host)
    except OSError:
        return False
    return _native.ETIMEDOUT == ETIMEDOUT
