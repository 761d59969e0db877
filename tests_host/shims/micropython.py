"""MicroPython's micropython module: what the libraries of the firmware import from it."""


def const(value):
    return value
