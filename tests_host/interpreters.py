"""Which MicroPythons a test run has (--interpreters); its summary names them, and what is lacking.

Beside the pinned wheel: those of interpreters.toml for that run, where the set-up could have them,
and whatever DYNREG_MICROPYTHON=PATH[:PATH…] names.
"""

import functools
import sys

from dynreg_tools.build import interpreters
from dynreg_tools.build.interpreters import InterpreterError

HEAP = "2M"  # 32-bit builds' own 1 MB is too small for some tests


def pytest_addoption(parser):
    parser.addoption(
        "--interpreters",
        default="each",
        metavar="RUN",
        help=f"the MicroPythons of a test run: {', '.join(interpreters.RUNS)}; or names of "
        "interpreters.toml, separated by commas",
    )


@functools.cache
def found(option):
    """Those that are there as {name: Interpreter}, and sentences on those that are not."""
    runs = option in interpreters.RUNS
    names = interpreters.of_run(option) if runs else filter(None, option.split(","))
    there, lacking = {}, []
    try:
        there["micropython"] = interpreters.wheel()
    except InterpreterError as error:
        lacking.append(str(error))
    for name in names:
        try:
            there[name] = interpreters.of_name(name)
        except InterpreterError as error:
            lacking.append(f"{name}: {error}")
    there |= {str(one.path): one for one in interpreters.named()}
    return there, lacking


def commands(config):
    """How each interpreter is started, by the name that stands behind its tests."""
    there, _ = found(config.getoption("--interpreters"))
    micropythons = {name: [str(one.path), "-X", f"heapsize={HEAP}"] for name, one in there.items()}
    return {"cpython": [sys.executable, "-u"], **micropythons}


def summary(terminalreporter):
    there, lacking = found(terminalreporter.config.getoption("--interpreters"))
    words = [f"{name} {one.release} ({one.bits} bits)" for name, one in there.items()]
    terminalreporter.write_line(f"MicroPython: {', '.join(words) or 'none'}")
    for sentence in lacking:
        terminalreporter.write_line(f"  not on {sentence}")
