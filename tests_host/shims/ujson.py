"""ujson: json by the name that old libraries use."""

import json
import sys

sys.modules[__name__] = json
