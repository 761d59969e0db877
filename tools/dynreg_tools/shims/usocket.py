"""usocket: socket by MicroPython's name for the built-in module itself."""

import socket
import sys

sys.modules[__name__] = socket
