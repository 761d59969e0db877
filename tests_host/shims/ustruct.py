"""ustruct: struct by the name that old libraries use."""

import struct
import sys

sys.modules[__name__] = struct
