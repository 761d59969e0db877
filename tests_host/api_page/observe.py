"""Runs one file of the corpus and prints which errors came out of which function of lib/dynreg.

    python observe.py device_x.py

The last line is a JSON object: {"module function": [codes]}.
"""

import json
import os
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIB = str(ROOT / "lib" / "dynreg") + os.sep
seen = {}


def tracer(frame, event, arg):
    """For sys.settrace(): an exception that no other line follows leaves the function."""
    path = os.path.normpath(frame.f_code.co_filename)
    if not path.startswith(LIB):
        return None
    module = path[len(LIB) : -3].replace(os.sep, ".").removesuffix(".__init__")
    name = f"{module} {frame.f_code.co_qualname}"
    code = None

    def local(frame, event, arg):
        nonlocal code
        if event == "exception":
            kinds = [kind.__name__ for kind in type(arg[1]).__mro__]
            code = arg[1].code if "DynregError" in kinds else None
        elif event == "line":
            code = None
        elif event == "return" and code and arg is None:
            seen.setdefault(name, set()).add(code)
        return local

    return local


def main(path):
    sys.path.insert(0, str(ROOT / "tests_host" / "corpus"))
    import runner

    threading.settrace(tracer)
    sys.settrace(tracer)
    try:
        runner.main(path, [])
    finally:
        sys.settrace(None)
        threading.settrace(None)  # pyright: ignore[reportArgumentType]
    print(json.dumps({name: sorted(codes) for name, codes in seen.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
