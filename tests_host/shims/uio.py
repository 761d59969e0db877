"""uio: io by MicroPython's name for the built-in module itself."""

from io import *  # noqa: F403
from io import BytesIO as _BytesIO


class BytesIO(_BytesIO):
    """read() takes any object with readinto(), as in MicroPython, which asks for no type."""

    def read(self, size=-1):
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
