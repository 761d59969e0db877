"""ubinascii: binascii by MicroPython's name for the built-in module itself."""

import binascii
import sys

sys.modules[__name__] = binascii
