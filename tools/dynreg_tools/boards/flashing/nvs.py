"""The record of a credential in an NVS partition, read from its bytes.

Source of the layout: "NVS internals" in ESP-IDF's documentation; of the record: lib/dynreg's
storage/credentials.py. What was erased is not found.
"""

from __future__ import annotations

import json
import re
import struct
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass

OWNER = re.compile("[A-Za-z0-9:_-]+/[A-Za-z0-9:_-]+")
_PAGE, _ENTRY, _ENTRIES, _FIRST = 4096, 32, 126, 64
_WRITTEN = 2  # of an entry's two bits in the page's bitmap
_HEAD = struct.Struct("<BBBBI16s8s")  # namespace, type, span, chunk, CRC, key, data
_U8, _BLOB, _CHUNK, _INDEX = 0x01, 0x41, 0x42, 0x48


@dataclass(frozen=True)
class Record:
    """owner: product id and device name, "PRODUCT/device", None where it cannot be read.

    whole: by its CRC.
    """

    owner: str | None
    whole: bool


def record(partition: bytes) -> Record | None:
    """The credential's, None without one."""
    data = _blob(partition, b"dynreg", b"credential")
    if data is None:
        return None
    try:
        owner = str(json.loads(data[4:])[0])
    except (ValueError, IndexError, KeyError, TypeError):
        owner = ""
    if not OWNER.fullmatch(owner):
        return Record(None, whole=False)
    return Record(owner, crc32(data[4:]) == int.from_bytes(data[:4], "big"))


def _blob(partition: bytes, namespace: bytes, key: bytes) -> bytes | None:
    """A blob, of one piece or of several, which may lie on several pages."""
    entries = list(_entries(partition))
    spaces = {
        data[0]
        for space, kind, _, name, data, _ in entries
        if (space, kind, name) == (0, _U8, namespace)
    }
    found = [entry for entry in entries if entry[0] in spaces and entry[3] == key]
    chunks = {chunk: rest for _, kind, chunk, _, _, rest in found if kind == _CHUNK}
    for _, kind, _, _, data, rest in found[::-1]:
        if kind == _BLOB:
            return rest
        if kind == _INDEX:
            size, count, start = struct.unpack_from("<IBB", data)
            parts = [chunks.get(start + n) for n in range(count)]
            whole = b"".join(part for part in parts if part is not None)
            return whole if len(whole) == size else None
    return None


def _entries(partition: bytes) -> Iterator[tuple[int, int, int, bytes, bytes, bytes]]:
    """(namespace, type, chunk, key, its eight bytes, what follows it) of all that is written."""
    for page in range(0, len(partition) - _PAGE + 1, _PAGE):
        bits = int.from_bytes(partition[page + 32 : page + 64], "little")
        number = 0
        while number < _ENTRIES:
            at = page + _FIRST + number * _ENTRY
            space, kind, span, chunk, _, key, data = _HEAD.unpack_from(partition, at)
            if bits >> 2 * number & 3 != _WRITTEN:
                number += 1
                continue
            number += max(span, 1)
            (size,) = struct.unpack_from("<H", data)
            rest = partition[at + _ENTRY : at + _ENTRY + size] if kind in (_BLOB, _CHUNK) else b""
            yield space, kind, chunk, key.split(b"\0")[0], data, rest
