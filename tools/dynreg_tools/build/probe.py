"""Run by a MicroPython: prints what it is, and what it can do as found by trying, as JSON."""

import json
import sys


class Ram:
    """A block device of 16 blocks."""

    def __init__(self) -> None:
        self.data = bytearray(16 * 512)

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        start = block * 512 + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        start = block * 512 + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, what: int, _: int) -> int:
        return {4: 16, 5: 512}.get(what, 0)


def sockets() -> None:
    __import__("socket").socket().close()


def tls() -> None:
    module = __import__("tls")
    module.SSLContext(module.PROTOCOL_TLS_CLIENT)


def psk() -> None:
    module = __import__("tls")
    context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    context.psk_identity, context.psk_key = b"identity", b"0123456789abcdef"


def littlefs() -> None:
    __import__("vfs").VfsLfs2.mkfs(Ram())


def after_2038() -> None:
    if __import__("time").gmtime(4102444800)[0] not in (2100, 2130):  # by the epoch
        raise ValueError


can = []
for name, try_it in (
    ("sockets", sockets),
    ("tls", tls),
    ("psk", psk),
    ("littlefs", littlefs),
    ("2038", after_2038),
):
    try:
        try_it()
        can.append(name)
    except Exception:  # whatever it says: it cannot
        continue
version = sys.implementation.version
release = ".".join(str(part) for part in version[:3])
if len(version) > 3 and version[3]:
    release += "-" + version[3]
bits, largest = 1, sys.maxsize
while largest:
    bits, largest = bits + 1, largest >> 1
print(json.dumps({"bits": bits, "release": release, "can": can}))
