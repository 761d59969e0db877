"""ubinascii: binascii by the name that old libraries use."""

import binascii
import sys

sys.modules[__name__] = binascii
