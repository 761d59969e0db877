"""Out of file descriptors: new connections are refused, and that is said once."""

import errno
import socket
import time
from collections.abc import Callable

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None

_KEPT = 16  # for everything but connections: a handshake's second one, the interface, files
_QUIET = 60.0  # seconds without a refusal after which the next one is said again
_NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Descriptors:
    """Shared by all ports; `report` gets the limit of the process when it is reached, None
    where it is the system's that is.

    Descriptors are numbered from the lowest free one, so a connection's number says how many are
    in use.
    """

    def __init__(self, report: Callable[[int | None], None]) -> None:
        self._report = report
        self._last = -_QUIET

    def room(self, sock: socket.socket) -> bool:
        """Whether a new connection may stay."""
        limit = _limit()
        if limit is None or sock.fileno() < limit - _KEPT:
            return True
        self._refused()
        return False

    def exhausted(self, error: OSError) -> bool:
        """Whether accept() failed for want of a descriptor."""
        if error.errno not in _NONE_LEFT:
            return False
        self._refused()
        return True

    def _refused(self) -> None:
        last, self._last = self._last, time.monotonic()
        if self._last - last >= _QUIET:
            self._report(_limit())


def _limit() -> int | None:
    if resource is None:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
