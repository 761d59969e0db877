"""What the vendor's sample for updates takes from a desktop's Python: enum, os.path.exists()."""

import sys

import uos as os


class _Enum:
    """Whose members are their values."""


class _Enums:
    """Stands in for the module enum."""

    Enum = IntEnum = _Enum


class Os:
    """os, with os.path.exists()."""

    def __init__(self):
        self.path = self

    def __getattr__(self, name):
        return getattr(os, name)

    def exists(self, path):
        try:
            os.stat(path)
        except OSError:
            return False
        return True


try:
    import enum  # noqa: F401 (a board that has one)
except ImportError:
    sys.modules["enum"] = _Enums  # pyright: ignore
if not hasattr(os, "path"):
    sys.modules["os"] = Os()  # pyright: ignore
