"""uhashlib: hashlib by MicroPython's name for the built-in module itself."""

import hashlib
import sys

sys.modules[__name__] = hashlib
