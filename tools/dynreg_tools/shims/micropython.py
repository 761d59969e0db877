"""MicroPython's micropython module: what the libraries of the firmware import from it."""

from typing import TypeVar

T = TypeVar("T")


def const(value: T) -> T:
    return value
