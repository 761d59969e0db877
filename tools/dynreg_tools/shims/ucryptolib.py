"""ucryptolib: cryptolib by MicroPython's name for the built-in module itself."""

import sys

import cryptolib

sys.modules[__name__] = cryptolib
