"""Faults that are known and not yet mended: they do not fail a run, and must still be there.

test_fuzz.py runs each one's smallest case; whoever mends the fault takes its entry out.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    """target, the smallest input (as Python writes it), on which interpreters, what is wrong."""

    target: str
    input: str
    on: tuple = ("micropython", "cpython")
    why: str = ""


# By signature, as device.py makes it.
KNOWN: dict[str, Fault] = {}
