"""Runs the test functions of one corpus file, in CPython or in MicroPython.

    python runner.py device_x.py [test_a test_b …]
    micropython runner.py device_x.py

Prints "@corpus " and one JSON object where a test starts ({"test"}) and where it ends ({"test",
"passed", "ms", "text"}: text is the traceback, or null). Exit code 1 where one failed. All that
a test needs of the project stands on the path: lib/, the firmware's libraries, this folder.
"""

import io
import json
import sys
import time

MARK = "@corpus "
MICROPYTHON = sys.implementation.name == "micropython"


def main(path, wanted):
    folder, _, name = path.rpartition("/")
    look_in(folder or ".")
    module = __import__(name.rsplit(".", 1)[0])
    failed = False
    for test in wanted or sorted(n for n in dir(module) if n.startswith("test_")):
        failed = not run(test, getattr(module, test)) or failed
    return 1 if failed else 0


def look_in(folder):
    """Sets sys.path: folder, this one, lib/, and what the interpreter lacks of a board."""
    here = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    root = here + "/../.."
    if MICROPYTHON:
        sys.path[:] = [folder, here, root + "/lib", ".frozen", root + "/.cache/firmware"]
    else:
        sys.path.insert(0, root + "/tools")
        from dynreg_tools import shims

        shims.install(folder, here)


def run(name, function):
    report({"test": name})
    started = time.time_ns()
    text = None
    try:
        function()
    except Exception as error:
        text = traceback(error)
    fakes = sys.modules.get("fakes")
    if fakes:
        try:
            fakes.restore()
        except Exception as error:
            text = (text or "") + traceback(error)
    ms = (time.time_ns() - started) // 1000000
    report({"test": name, "passed": text is None, "ms": ms, "text": text})
    return text is None


def report(values):
    print("\n" + MARK + json.dumps(values))


def traceback(error):
    if MICROPYTHON:
        out = io.StringIO()
        sys.print_exception(error, out)
        return out.getvalue()
    import traceback

    return "".join(traceback.format_exception(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
