"""uselect: select by MicroPython's name for the built-in module itself."""

import select
import sys

sys.modules[__name__] = select
