"""usocket: socket by the name that old libraries use."""

import socket
import sys

sys.modules[__name__] = socket
