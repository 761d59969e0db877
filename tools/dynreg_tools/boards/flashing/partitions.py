"""The partition table of ESP-IDF, as far as it says what a new firmware would overwrite."""

import struct
from dataclasses import dataclass

ADDRESS, SIZE = 0x8000, 0xC00  # of the table in flash, on every chip; bytes
_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC, _MD5 = b"\xaa\x50", b"\xeb\xeb"
NVS = "NVS"  # what moved() calls it
_APP, _DATA, _NVS, _OTADATA = 0, 1, 2, 0


@dataclass(frozen=True)
class Partition:
    """offset and size in bytes."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


@dataclass(frozen=True)
class Table:
    partitions: tuple[Partition, ...]

    @property
    def nvs(self) -> Partition | None:
        return self._first(_DATA, _NVS)

    @property
    def app(self) -> Partition | None:
        """The application that the boot loader starts with no word of otadata."""
        return next((p for p in self.partitions if p.type == _APP), None)

    @property
    def file_system(self) -> int:
        """Where MicroPython's files begin: its "vfs" or "ffat" partition, else behind all others
        (MicroPython makes one there at boot)."""
        return self._files.offset if self._files else max(p.end for p in self.partitions)

    @property
    def is_fat(self) -> bool:
        """The files lie on FAT, as on boards with TinyUF2; else on littlefs."""
        return self._files is not None and self._files.name == "ffat"

    def file_system_size(self, flash: int) -> int:
        """Bytes that MicroPython takes for its files where the flash has so many."""
        return self._files.size if self._files else max(flash - self.file_system, 0)

    @property
    def _files(self) -> Partition | None:
        named = {p.name: p for p in self.partitions}
        return named.get("vfs") or named.get("ffat")

    def moved(self, new: "Table") -> list[str]:
        """What of a board with this table would be lost under the new one, in words."""
        lost = []
        if self.nvs and (new.nvs is None or (new.nvs.offset, new.nvs.size) != _place(self.nvs)):
            lost.append(NVS)
        if self.file_system != new.file_system:
            lost.append("the file system")
        return lost

    def _first(self, kind: int, subtype: int) -> Partition | None:
        return next((p for p in self.partitions if (p.type, p.subtype) == (kind, subtype)), None)


def parse(data: bytes) -> Table | None:
    """The table in data (SIZE bytes or fewer), None where there is none."""
    found = []
    for at in range(0, len(data) - _ENTRY.size + 1, _ENTRY.size):
        magic, kind, subtype, offset, size, name, _ = _ENTRY.unpack_from(data, at)
        if magic != _MAGIC:
            break
        text = name.split(b"\0")[0].decode("ascii", "replace")
        found.append(Partition(text, kind, subtype, offset, size))
    return Table(tuple(found)) if found else None


def _place(partition: Partition) -> tuple[int, int]:
    return partition.offset, partition.size
