"""ujson: json by MicroPython's name for the built-in module itself."""

import json
import sys

sys.modules[__name__] = json
