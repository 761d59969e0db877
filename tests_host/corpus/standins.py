"""Stand-ins put anywhere, and taken back after each test; what a test looks at and asks for."""

import json
import os
import sys

import dynreg  # noqa: F401 (its submodules are looked up below)
from dynreg import log, port
from dynreg.errors import DynregError

MICROPYTHON = sys.implementation.name == "micropython"
ROOT = __file__.rsplit("/", 3)[0]

# Modules stay loaded, so that the stand-ins put into them stay in place.
unload, port.unload = port.unload, lambda but: None

_undo = []


def replace(owner, name, value):
    """Sets owner.name until the end of the test."""
    if hasattr(owner, name):
        old = getattr(owner, name)
        _undo.append(lambda: setattr(owner, name, old))
    else:
        _undo.append(lambda: delattr(owner, name))
    setattr(owner, name, value)


def module(name, stand_in):
    """Makes `import name` give stand_in until the end of the test; None: as if there were none."""
    for known_as in (name, "u" + name):  # the built-in module itself too
        _stand_in(known_as, stand_in)


def _stand_in(name, stand_in):
    old = sys.modules.pop(name, None)

    def undo():
        sys.modules.pop(name, None)
        if old:
            sys.modules[name] = old

    _undo.append(undo)
    if stand_in is not None:
        sys.modules[name] = stand_in
    elif not MICROPYTHON:
        sys.modules[name] = None


def fresh(name):
    """The module of dynreg with that name, imported anew, as after a reset."""
    package, _, attribute = name.rpartition(".")
    real = sys.modules.pop(name)

    def undo():
        sys.modules[name] = real
        setattr(sys.modules[package], attribute, real)

    _undo.append(undo)
    return __import__(name, None, None, ("__name__",))


def at_end(call):
    """Calls call() at the end of the test."""
    _undo.append(call)


def restore():
    """Takes back all that the test put in place; the runner calls it."""
    while _undo:
        _undo.pop()()


class Namespace:
    """An object with these attributes, to stand in for a module."""

    def __init__(self, **attributes):
        for name in attributes:
            setattr(self, name, attributes[name])


def raises(kind, call, *arguments, code=None, says=(), retry=None):
    """The exception that call raises, after printing all of it, so that no secret hides there.

    kind: exactly this class. code, retry: its own, where given. says: words its text must have.
    """
    try:
        call(*arguments)
    except BaseException as error:
        print("raised:", repr(error), "|", str(error), "|", repr(error.args))
        if isinstance(error, DynregError):
            print("        ", error.code, error.cloud_code, error.request_id, error.retry)
        if type(error) is not kind:
            raise
        assert code is None or error.code == code, error.code
        assert retry is None or error.retry == retry, error.retry
        for word in (says,) if isinstance(says, str) else says:
            assert word in str(error), (word, str(error))
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def vectors():
    """vectors.json as a dict."""
    with open(ROOT + "/tests_host/vectors.json") as file:
        return json.loads(file.read())


class Lacking(Exception):
    """What this interpreter has not; the test that raises it is skipped, with these words."""


def need_tls():
    """Lacking where TLS is a stand-in (bare.py)."""
    import tls

    if getattr(tls, "__name__", None) != "tls":
        raise Lacking("TLS")


def servers():
    """What tlsservers.py says of its servers; the collector starts them."""
    need_tls()
    with open(os.getenv("CORPUS_SERVERS")) as file:
        return json.loads(file.read())


def log_lines():
    """A list that fills with (level's name, text) as dynreg logs; all is printed too."""
    lines = []

    def line(name, text):
        lines.append((name, text))
        print("log:", name, text)

    replace(log, "line", line)
    replace(log, "level", log.DEBUG)
    return lines


def random(*values):
    """port.random_bytes gives these, one a call, cut or filled with zeros; the last for ever."""
    left = list(values)

    def random_bytes(count):
        value = left.pop(0) if len(left) > 1 else left[0]
        return (value + bytes(count))[:count]

    replace(port, "random_bytes", random_bytes)


def folder():
    """The path of a new folder, gone at the end of the test."""
    base = os.getenv("TMPDIR") or os.getenv("TEMP") or "/tmp"
    path = f"{base}/corpus-{int.from_bytes(os.urandom(6), 'big'):x}"
    os.mkdir(path)

    at_end(lambda: _remove(path))
    return path


def _remove(path):
    for name in os.listdir(path):
        try:
            os.remove(path + "/" + name)
        except OSError:  # a folder
            _remove(path + "/" + name)
    os.rmdir(path)


def write(path, data):
    """Writes str or bytes; the path."""
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path


def read(path):
    """The file's bytes."""
    with open(path, "rb") as file:
        return file.read()


def exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def files(path):
    """What lies in a folder and those below: bytes by path."""
    found = {}
    for name in os.listdir(path):
        inner = path + "/" + name
        try:
            found[inner] = read(inner)
        except OSError:  # a folder
            found.update(files(inner))
    return found
