"""ustruct: struct by MicroPython's name for the built-in module itself."""

import struct
import sys

sys.modules[__name__] = struct
