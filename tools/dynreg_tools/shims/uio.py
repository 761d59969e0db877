"""uio: io by MicroPython's name for the built-in module itself."""

from io import BytesIO as _BytesIO
from io import IOBase, StringIO
from typing import Any

__all__ = ["BytesIO", "IOBase", "StringIO"]


class BytesIO(_BytesIO):
    """read() takes any object with readinto(), as in MicroPython, which asks for no type."""

    def read(self: Any, size: Any = -1, /) -> bytes:
        if isinstance(self, _BytesIO):
            return _BytesIO.read(self, size)
        data = b""
        while len(data) < size:
            part = bytearray(size - len(data))
            count = self.readinto(part)
            if count is not None and count < 0:
                raise OSError(-count)
            if not count:
                break
            data += part[:count]
        return bytes(data)
