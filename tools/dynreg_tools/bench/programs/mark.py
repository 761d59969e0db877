"""What each measured program tells the bench. On the board's side, so small."""

import gc
import sys


def clock_set(tls):
    """The moment that is measured. Goes on when the bench has taken down what it saw."""
    print("@clock set", tls)
    sys.stdin.readline()


def retained():
    gc.collect()
    print("@retained", gc.mem_alloc())
