"""umachine: machine by MicroPython's name for the built-in module itself."""

import sys

import machine

sys.modules[__name__] = machine
