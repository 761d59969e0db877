"""A littlefs as MicroPython mounts it: built in memory, read from a file or from a board's flash.

MicroPython's geometry (extmod/vfs_lfs.c, ports/esp32/esp32_partition.c): blocks of 4096 bytes,
32 bytes read and programmed at a time, caches of 128. A file as small as a cache lies in its
folder's block, so that another cache size would give files that MicroPython cuts off. On-disk
version 2.0 is the one that every release mounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from littlefs import LittleFS
from littlefs.context import UserContext
from littlefs.errors import LittleFSError
from littlefs.lfs import LFSConfig

BLOCK = 4096
_GEOMETRY: dict[str, Any] = {
    "block_size": BLOCK,
    "read_size": 32,
    "prog_size": 32,
    "cache_size": 128,
    "lookahead_size": 32,
}
_DISK_VERSION = 0x0002_0000
_SPARE = 8  # blocks beside those that hold something: what littlefs writes anew while it works
_TRIES = 4
_DIGEST, _LABEL = "D", "L"  # attributes of the root; MicroPython neither shows nor changes them


class NoRoom(Exception):
    """The files do not fit."""


class Damaged(Exception):
    """There is no littlefs, or not all of it."""


def build(files: Mapping[str, bytes], blocks: int, label: str = "-") -> bytes:
    """The first blocks of a file system of that many blocks; what follows them may hold anything.

    files: by absolute path, written in their order. label: for Files.label, not empty. The same
    files give the same bytes. NoRoom.
    """
    if sum(map(len, files.values())) > blocks * BLOCK:  # it would take seconds to find that out
        raise NoRoom
    used = _made(files, blocks, label).used_block_count
    for attempt in range(_TRIES):
        size = min(used + (_SPARE << attempt), blocks)
        with suppress(NoRoom):
            system = _made(files, size, label)
            system.fs_grow(blocks)
            return bytes(system.context.buffer)
    raise NoRoom


class Files:
    """The file system at read(block, offset, size), mounted for reading; blocks: its size.

    Only what is asked for is read. Damaged, and whatever read() raises.
    """

    def __init__(self, read: Callable[[int, int, int], bytes]) -> None:
        self._context = _ReadOnly(read)
        self._system = LittleFS(self._context, mount=False, block_count=0, **_GEOMETRY)
        with self._errors():
            self._system.mount()
        self.blocks = self._system.block_count

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None where there is none."""
        missing = suppress(FileNotFoundError, IsADirectoryError)
        with self._errors(), missing, self._system.open(path, "rb") as file:
            return file.read()
        return None

    def all(self) -> dict[str, bytes]:
        """Every file by its absolute path."""
        with self._errors():
            paths = [
                f"{folder.rstrip('/')}/{name}"
                for folder, _, names in self._system.walk("/")
                for name in names
            ]
        return {path: self.read(path) or b"" for path in paths}

    def whole(self, files: Mapping[str, bytes]) -> bool:
        """Whether these are the files that build() wrote."""
        return self._attribute(_DIGEST) == _digest(files)

    @property
    def label(self) -> str:
        """What build() was given."""
        return self._attribute(_LABEL).decode("utf-8", "replace")

    def _attribute(self, kind: str) -> bytes:
        with suppress(LittleFSError):
            return self._system.getattr("/", kind)
        return b""

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (LittleFSError, OSError):
            raise self._context.failure or Damaged from None
        if self._context.failure:
            raise self._context.failure


def in_bytes(data: bytes) -> Callable[[int, int, int], bytes]:
    """read() for Files: of bytes, behind which the flash is erased."""

    def read(block: int, offset: int, size: int) -> bytes:
        at = block * BLOCK + offset
        return data[at : at + size].ljust(size, b"\xff")

    return read


class _ReadOnly(UserContext):
    """failure: what read() raised; it cannot come through littlefs, which is C."""

    def __init__(self, read: Callable[[int, int, int], bytes]) -> None:
        self._read = read
        self.failure: Exception | None = None

    def read(self, cfg: LFSConfig, block: int, off: int, size: int) -> bytearray:  # noqa: ARG002
        if self.failure is None:
            try:
                return bytearray(self._read(block, off, size))
            except Exception as error:  # whatever it is, it is raised where it can be
                self.failure = error
        return bytearray(b"\xff" * size)


def _digest(files: Mapping[str, bytes]) -> bytes:
    """SHA-256 over all files and their paths."""
    whole = hashlib.sha256()
    for path, data in sorted(files.items()):
        whole.update(f"{path}\0{len(data)}\0".encode() + data)
    return whole.digest()


def _made(files: Mapping[str, bytes], blocks: int, label: str) -> LittleFS:
    """A new file system that holds the files. NoRoom."""
    context = UserContext(blocks * BLOCK)
    system = LittleFS(
        context, mount=False, block_count=blocks, disk_version=_DISK_VERSION, **_GEOMETRY
    )
    try:
        system.format()
        system.mount()
        for path, data in files.items():
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            with system.open(path, "wb") as file:
                file.write(data)
        system.setattr("/", _DIGEST, _digest(files))
        system.setattr("/", _LABEL, label.encode())
    except LittleFSError as error:
        if error.code == LittleFSError.Error.LFS_ERR_NOSPC:
            raise NoRoom from None
        raise
    except OSError:  # what a buffered file makes of it
        raise NoRoom from None
    return system
