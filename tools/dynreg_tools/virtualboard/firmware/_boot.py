"""What a board does from reset to the prompt. Device side.

boot.py and main.py run as ports/esp32/main.c runs them: main.py only after a boot.py without an
exception and only when the prompt will be the friendly one; sys.exit() in either is a soft reset.
"""

import gc
import io
import json
import sys

import _board
import _hooks
import _memory
import vfs

_STAND_INS = ("machine", "micropython", "os", "socket", "time", "tls", "vfs")
_IN_MEMORY = ("errno", "sys")  # the interpreter's own are changed, else stood in for
_READS_MS = 20
_ADDED = ("esp32", "network")


def _set_up():
    firmware = sys.path[0]
    del sys.path[:]
    natives = {name: __import__(name) for name in _STAND_INS + _IN_MEMORY + ("select",)}
    sys.path.append(firmware)
    _board.native.update(natives)
    _board.host = vfs.VfsPosix()
    config = _board.config
    # the settings come over the channel: an argument longer than 255 bytes ends the unix port
    config.update(json.loads(_board.open_channel(int(sys.argv[1])).readline()))
    _board.rtc_ns = config["rtc_ns"]
    if config["fast"]:
        from _fast import Fast

        _board.fast = Fast(config["fast"])
    config["version"] = sys.implementation.version
    config["banner"] = sys.version.split("; ")[-1]
    names = _STAND_INS + (("select",) if _board.fast else ())
    machine = sys.implementation._machine
    for name in _IN_MEMORY:
        if not __import__("esp_" + name)._into_interpreter():
            names += (name,)
    if config["slots"]:
        config["running"] = __import__("_slots").start()
        __import__("_partition")
    stand_ins = {name: __import__("esp_" + name) for name in names}
    added = {name: __import__("esp_" + name) for name in _ADDED}
    import flashdev

    fat = config["fs"] == "fat"
    file = _board.host.open(config["image"], "r+b")
    flash = flashdev.Flash(file, config["size"], 512 if fat else flashdev.BLOCK)
    vfs.umount("/")
    try:
        vfs.mount(flashdev.file_system(flash, config["fs"]), "/")
    except OSError:
        _board.config["corrupted"] = True
    _hooks.disguise(sys.modules.values(), list(stand_ins.values()) + list(added.values()))
    added["_ntp"] = _hooks.Ntp(config["ntp"])
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []
    files = config["files"]
    sys.modules.clear()
    find = _hooks.install if _hooks.knows_who_imports() else _hooks.preload
    find(stand_ins, added, _board.host, files)
    return natives["os"], machine


def _report(error):
    """The traceback, without the line of this file that ran the program."""
    text = io.StringIO()
    sys.print_exception(error, text)
    lines = text.getvalue().split("\n")
    print("\n".join(line for line in lines if '_boot.py"' not in line), end="")


def _run(name, main):
    """True after a program that ended well or is not there, None after sys.exit()."""
    try:
        execfile(name, main)  # noqa: F821 (a built-in of MicroPython)
    except SystemExit:
        return None
    except OSError as error:
        if error.errno == 2 and not _exists(name):
            return True
        _report(error)
        return False
    except BaseException as error:
        _report(error)
        return False
    return True


def _exists(name):
    import os

    try:
        os.stat(name)
    except OSError:
        return False
    return True


def _programs(raw, main):
    ended = _run("boot.py", main)
    if ended and not raw:
        # an ESP32 takes longer to read main.py: a Ctrl-C that came by then is raised before it
        _board.native["time"].sleep_ms(_READS_MS)
        ended = _run("main.py", main)
    return ended


def start(main):
    """Runs the board's programs in the namespace `main`, then leaves the prompt to the port."""
    os, machine = _set_up()
    main.pop("__file__", None)  # a path of the host
    config = _board.config
    ended = False
    gc.collect()
    place = _memory.interrupt_place()
    try:
        _board.send("S%d %d %d" % place if place else "S")
        while "corrupted" in _board.config:  # as inisetup.py of the firmware: until Ctrl-C
            print("The filesystem appears to be corrupted.")
            _board.native["time"].sleep(3)
        ended = _programs(config["raw"], main)
        _board.send_reads()
    except KeyboardInterrupt:
        pass  # it came between the two programs, or after them
    if ended is not None:
        os.putenv("MICROPYINSPECT", "1")  # the port goes on to its prompt
    word = {True: "ok", False: "error", None: "exit"}[ended]
    mark = "\0%s%s %s\0" % (config["token"], word, machine)
    while mark:  # without it no prompt is ever seen
        try:
            sys.stdout.write(mark)
            mark = None
        except KeyboardInterrupt:
            pass
