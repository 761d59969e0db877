"""A second Ctrl-C ends the command, whatever its threads wait for.

The first one asks: boards are left in good order. Where that takes long, or a serial driver does
not return, Python could not end before its threads do.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

EXIT = 130  # what a shell says of a command that Ctrl-C ended
_ORDERLY_S = 1  # the second one, too, leaves this time to end in good order
_SHOW_CURSOR = "\x1b[?25h"


def second_leaves() -> None:
    """From now on, in this process; to be called in its main thread."""
    ours, signals = socket.socketpair()
    signals.setblocking(False)
    # the bytes come even while the main thread is in a call that does not return
    signal.set_wakeup_fd(signals.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_count, args=(ours,), name="Ctrl-C", daemon=True).start()


def deaf() -> None:
    """The end has begun: a further Ctrl-C counts, but raises nothing in the main thread."""
    signal.signal(signal.SIGINT, lambda *_: None)


def _count(signals: socket.socket) -> None:
    seen = 0
    while seen < 2:
        seen += signals.recv(1) == bytes([signal.SIGINT])
    time.sleep(_ORDERLY_S)
    if sys.stderr.isatty():  # a bar has hidden it
        print(_SHOW_CURSOR, end="", file=sys.stderr)
    print(
        "dynreg: left at the second Ctrl-C, boards may be as they were then: run it again",
        file=sys.stderr,
        flush=True,
    )
    os._exit(EXIT)
