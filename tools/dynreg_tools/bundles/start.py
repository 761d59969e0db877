"""The main.py of a board that takes bundles: runs the program of the slot in force (docs/ota.md).

It stays as it is over all updates. A new program has so many starts; is it not confirmed then, the
one before is in force again. Device side.
"""

import json
import os
import sys
from binascii import crc32

_STATE = "/ota.state"


def read():
    for path in (_STATE, _STATE + ".tmp"):  # FAT loses the first where the power goes in a rename
        try:
            with open(path, "rb") as file:
                data = file.read()
            if int(data[:8], 16) == crc32(data[8:]):
                return json.loads(data[8:])
        except (OSError, ValueError):
            pass
    return {}


def write(state):
    data = json.dumps(state).encode()
    with open(_STATE + ".tmp", "wb") as file:
        file.write(("%08x" % crc32(data)).encode() + data)
    os.rename(_STATE + ".tmp", _STATE)


def choose():
    """The state by which the program starts now; counts its starts while it is on trial."""
    state = read()
    if "back" in state:
        if state["boots"] > 0:
            state["boots"] -= 1
        else:
            why = state.get("why", "not confirmed")
            print("ota: %s is not confirmed: back to %s" % (state["version"], state["back"][1]))
            told = [state["version"], -5, why]
            slot, version = state["back"]
            state = {"run": slot, "version": version, "tell": told}
        write(state)
    return state


def guard(seconds):
    """A watchdog for a program that hangs before it is confirmed; nothing can stop it."""
    if seconds:
        try:
            from machine import WDT

            WDT(timeout=seconds * 1000)
        except Exception as error:  # a board without one, a time that it does not take
            print("ota: no watchdog: %r" % error)


def run():
    state = choose()
    trial = "back" in state
    if trial:
        guard(state["seconds"])
    # The program's folder is "" of sys.path from now on, before .frozen and /lib.
    os.chdir("/app_" + state.get("run", "a"))
    if "dynreg" in os.listdir():  # its own, where boot.py has loaded another
        for name in list(sys.modules):
            if name == "dynreg" or name.startswith("dynreg."):
                del sys.modules[name]
    try:
        __import__("main")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if not trial:
            raise
        sys.print_exception(error)
        state = read()
        if "back" in state:
            state["why"] = repr(error)[:96]
            write(state)
    if "back" in read():
        from machine import reset

        print("ota: it ended before it was confirmed")
        reset()


run()
