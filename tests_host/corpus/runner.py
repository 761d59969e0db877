"""Runs the test functions of one file, in CPython or in MicroPython.

    python runner.py device_x.py [test_a test_b …]
    micropython runner.py device_x.py -

"-": their names come by standard input, one a line. After each test stands "@corpus " and one JSON
object: test, passed, skipped (why, or null), text (the traceback, or null). Exit code 1 where one
failed. All that a test needs of the project is on the path: lib/, the firmware's libraries, this
folder.
"""

import gc
import io
import json
import sys

MICROPYTHON = sys.implementation.name == "micropython"


def main(path, wanted):
    folder, _, name = path.rpartition("/")
    look_in(folder or ".")
    module = __import__(name.rsplit(".", 1)[0])
    if not MICROPYTHON:
        gc.freeze()  # the library collects at every step, and CPython has much more to look through
    if wanted == ["-"]:
        wanted = asked()
    failed = False
    for test in wanted or sorted(n for n in dir(module) if n.startswith("test_")):
        failed = not run(test, getattr(module, test)) or failed
    return 1 if failed else 0


def asked():
    while line := sys.stdin.readline():
        yield line.strip()


def look_in(folder):
    """Sets sys.path: folder, this one, lib/, and what the interpreter lacks of a board."""
    here = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
    root = here + "/../.."
    if MICROPYTHON:
        sys.path[:] = [folder, here, root + "/lib", ".frozen", root + "/.cache/firmware"]
        __import__("bare").install()
    else:
        sys.path.insert(0, root + "/tools")
        from dynreg_tools import shims

        shims.install(folder, here)


def run(name, function):
    text = skipped = None
    fakes = sys.modules.get("fakes")
    for call in (function, fakes.restore) if fakes else (function,):
        try:
            call()
        except Exception as error:
            if type(error).__name__ == "Lacking":  # of standins.py
                skipped = str(error)
            else:
                text = (text or "") + traceback(error)
    values = {"test": name, "passed": text is None, "skipped": skipped, "text": text}
    print("\n@corpus " + json.dumps(values))
    return text is None


def traceback(error):
    if MICROPYTHON:
        out = io.StringIO()
        sys.print_exception(error, out)
        return out.getvalue()
    import traceback

    return "".join(traceback.format_exception(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
