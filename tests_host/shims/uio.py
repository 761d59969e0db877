"""uio: io by MicroPython's name for the built-in module itself."""

import io
import sys

sys.modules[__name__] = io
