"""How the board finds its firmware's modules. Device side.

The interpreter searches as an ESP32 does (sys.modules, built-ins, the file system, then the
built-ins that a file of their name goes before); where that ends at a module of the unix port, its
stand-in is handed out. What a real image freezes (umqtt.simple, ntptime) is imported from a
read-only file system that is mounted only for the length of the import: the user's '/' stays the
user's, sys.path stays an ESP32's.
"""

import builtins

import _board
import _memory
import vfs

_PLACE = "/.firmware"
_FROZEN = ".frozen"
_ALIASES = {"urequests": "requests", "ussl": "ssl"}
_UNIX_ONLY = ("ffi", "jni", "termios")  # they lead to the host
_import = builtins.__import__


class Ntp:
    """The time server of this board, for ntptime."""

    def __init__(self, server):
        self.SERVER = server


class Firmware:
    """The frozen files as a file system: path on the board -> path on the host, read only."""

    def __init__(self, host, files):
        self._host = host
        self._files = files

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def chdir(self, path):
        raise OSError(1)

    def open(self, path, mode):
        if "w" in mode or "a" in mode or path not in self._files:
            raise OSError(30 if path in self._files else 2)
        return self._host.open(self._files[path], mode)

    def stat(self, path):
        if path in self._files:
            return (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        for name in self._files:
            if name.startswith(path + "/"):
                return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        raise OSError(2)


def disguise(modules, constant):
    """Loaded modules as built-in ones show themselves: no file, and nothing can be put into some.

    constant: those that a program gets to see, but for a sys, whose path is its to assign.
    """
    for module in modules:
        if hasattr(module, "__file__"):
            module.__name__ = module.__name__.replace("esp_", "")
            del module.__file__  # a path of the host
    for module in constant:
        if module.__name__ != "sys":
            _memory.make_constant(module.__dict__)


def knows_who_imports():
    """__import__ is given its caller's globals, so that relative imports get through a hook."""
    seen = []
    builtins.__import__ = lambda name, *rest: seen.append(rest[0])
    try:
        exec("import any", {})
    finally:
        builtins.__import__ = _import
    return seen[0] is not None


def preload(stand_ins, added, host, files):
    """For an older interpreter: what install() does, as far as sys.modules and sys.path reach.

    All built-ins are in sys.modules, so no file goes before one; the frozen files stay mounted.
    """
    sys = _board.native["sys"]
    for name, module in list(stand_ins.items()) + list(added.items()):
        sys.modules[name] = sys.modules["u" + name] = module
    for alias, name in _ALIASES.items():
        try:
            sys.modules[alias] = _import(name)
        except ImportError:
            pass  # that interpreter has none
    vfs.mount(Firmware(host, files), _PLACE)
    sys.path.insert(sys.path.index(_FROZEN), _PLACE)


def install(stand_ins, added, host, files):
    """Makes every later import of the board look here too.

    stand_ins: name -> module, for those of the unix port; added: the same for those that it lacks.
    """
    firmware = Firmware(host, files)
    frozen = {name[1:].split("/")[0].split(".")[0] for name in files}
    sys = _board.native["sys"]
    modules = sys.modules
    assigned = stand_ins.get("sys", sys)
    pairs = [(_board.native[name], module) for name, module in stand_ins.items()]

    def find(name, *rest):
        try:
            return search(name, *rest)
        except BaseException as error:
            _memory.unseen(error)
            raise  # which adds no line of its own

    def search(name, *rest):
        if assigned is not sys:
            sys.path, sys.ps1, sys.ps2 = assigned.path, assigned.ps1, assigned.ps2
        if not isinstance(name, str) or not name or rest[3:4] not in ((), (0,)):
            return _import(name, *rest)
        if name in _ALIASES and name not in frozen and name not in modules:
            name = _ALIASES[name]
        top = name.split(".")[0]
        if not (top in modules and sys.path):
            if top == name and name in added:
                return added[name]
            if top in added or top in _UNIX_ONLY:
                raise ImportError("no module named '%s'" % name)
        if top in frozen and _FROZEN in sys.path and not (top in modules and name in modules):
            return from_firmware(name, rest)
        return ours(_import(name, *rest))

    def ours(module):
        for native, mine in pairs:
            if module is native:
                return mine
        return module

    def from_firmware(name, rest):
        path = sys.path
        if _PLACE in path:
            return _import(name, *rest)
        vfs.mount(firmware, _PLACE)
        path.insert(path.index(_FROZEN), _PLACE)
        try:
            return _import(name, *rest)
        finally:
            path.remove(_PLACE)
            vfs.umount(_PLACE)
            for module in modules.values():
                file = getattr(module, "__file__", "")
                if file.startswith(_PLACE):
                    module.__file__ = file[len(_PLACE) + 1 :].replace(".mpy", ".py")

    builtins.__import__ = find
