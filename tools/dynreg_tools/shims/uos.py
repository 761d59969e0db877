"""uos: os by MicroPython's name for the built-in module itself."""

import os
import sys

sys.modules[__name__] = os
