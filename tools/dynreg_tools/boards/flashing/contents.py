"""Does a board hold a credential? Asked of its REPL, else read from its flash.

No secret leaves the board here: onboard/credential.py answers with names and places only. Where a
credential lies is described in docs/credentials.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import answers, onboard
from ..batch import placeholder
from ..link import Link
from . import nvs, partitions
from .chips import chips
from .littlefs import BLOCK, Damaged, Files

NVS = "NVS"
# A blob of that name in the NVS partition, ESP-IDF's format: namespace entry, then key entry. An
# erased key stays readable until its page is reused, so this can say yes too often, never no.
_NVS_NAMESPACE = re.compile(rb"\x00\x01\x01\xff....dynreg\0{10}", re.DOTALL)
_NVS_KEY = re.compile(rb"credential\0{6}")
_INFO, _RECORD = "/device_info.json", "/dynreg.rec"
_HEAD = 32 + 80  # of an application: headers, then esp_app_desc_t up to its project's name


@dataclass(frozen=True)
class Contents:
    """What a board holds.

    where: the places of a credential, empty where it has none; None: it cannot be known.
    mac: twelve hex digits. owner: "product/device" or None. chip: esptool's name or None.
    flash: bytes, 0 unknown. version: of what runs there, or None.
    """

    where: tuple[str, ...] | None
    mac: str
    owner: str | None = None
    chip: str | None = None
    flash: int = 0
    version: str | None = None
    files: tuple[str, ...] = ()

    @property
    def may_hold_credential(self) -> bool:
        """Erasing this board loses a credential, or may."""
        return self.where is None or bool(self.where)

    @property
    def only_in_files(self) -> bool:
        """New files lose a credential, or may: NVS has no whole copy of it."""
        if self.where is None:
            return True
        return NVS not in self.where and any(place.startswith("/") for place in self.where)

    @property
    def names(self) -> set[str]:
        """By which a person may name it: the device's name, its MAC."""
        device = {self.owner.split("/")[-1]} if self.owner else set()
        return device | {self.mac} if self.mac else device

    @property
    def sentence(self) -> str:
        if self.where is None:
            return (
                "its prompt does not answer, so it cannot be known whether it holds a credential"
            )
        if not self.where:
            return "it holds no credential"
        whose = f" of {self.owner}" if self.owner else ""
        return f"it holds the credential{whose} ({', '.join(self.where)})"


def from_repl(link: Link) -> Contents:
    """As the board answers on its REPL. BoardError."""
    onboard.send(link, "credential")
    answer = answers.checked(link.port, onboard.call(link, "held"), answers.HELD)
    release = answer["version"].split("MicroPython ")[-1].split()
    return Contents(
        tuple(answer["places"]),
        answer["mac"],
        answer["owner"],
        _chip_name(answer["machine"]),
        answer["flash"],
        f"MicroPython {release[0]}" if release else None,
        tuple(answer["files"]),
    )


def from_flash(read: Callable[[int, int], bytes], mac: str, flash: int) -> Contents:
    """As its flash shows, without its REPL. read(address, size) gives its bytes; flash: bytes.

    Of the files only those are read that may hold a credential, and these only where NVS has none.
    """
    table = partitions.parse(read(partitions.ADDRESS, partitions.SIZE))
    if table is None:
        return Contents((), mac)
    kept = read(table.nvs.offset, table.nvs.size) if table.nvs else b""
    record = nvs.record(kept)
    if record and record.whole:
        return Contents((NVS,), mac, record.owner)
    where: tuple[str, ...] = ()
    if _NVS_NAMESPACE.search(kept) and _NVS_KEY.search(kept):
        where = ("NVS (damaged)" if record else "NVS (erased)",)
    name = _project(read(table.app.offset, _HEAD)) if table.app else b""
    if name not in (b"", b"micropython"):
        return Contents(where, mac, record and record.owner)
    try:
        places, owner = _in_files(table, read, mac, flash)
    except Damaged:
        return Contents(where or None, mac)
    return Contents((*where, *places), mac, owner or (record and record.owner))


def files_of(
    table: partitions.Table, read: Callable[[int, int], bytes], flash: int
) -> Files | None:
    """A board's files; None where MicroPython would see no file system yet. Damaged."""
    start, end = table.file_system, table.file_system + table.file_system_size(flash)
    blocks: dict[int, bytes] = {}

    def read_files(block: int, offset: int, size: int) -> bytes:
        if block not in blocks:
            at = start + block * BLOCK
            blocks[block] = read(at, BLOCK) if at + BLOCK <= end else b""
        return blocks[block][offset : offset + size].ljust(size, b"\xff")

    return Files(read_files) if read_files(0, 0, BLOCK).strip(b"\xff") else None


def _in_files(
    table: partitions.Table, read: Callable[[int, int], bytes], mac: str, flash: int
) -> tuple[list[str], str | None]:
    """The places of a credential among the files, and its owner. Damaged: they cannot be read."""
    files = files_of(table, read, flash)
    if files is None:
        return [], None
    places = [_RECORD] if files.read(_RECORD) is not None else []
    text = files.read(_INFO)
    text = files.read(_INFO + ".tmp") if text is None else text
    if text is None:
        return places, None
    try:
        info: Any = json.loads(text)
        secret = (info.get("key_deviceinfo") or {}).get("deviceSecret")
        named = str((info.get("cert_deviceinfo") or {}).get("devCertFile") or "")
        owner = f"{info['productId']}/{info['deviceName']}".replace("{mac}", mac)
    except (ValueError, KeyError, TypeError, AttributeError):
        return [*places, f"{_INFO} (not readable)"], None
    if not nvs.OWNER.fullmatch(owner):
        owner = None
    if not placeholder(secret) or (not placeholder(named) and _exists(files, named)):
        places.append(_INFO)
    return places, owner


def _exists(files: Files, name: str) -> bool:
    return files.read(name if "/" in name else f"/certs/{name}") is not None


def format_mac(mac: str) -> str:
    """A MAC as people write it, with colons."""
    return ":".join(mac[at : at + 2] for at in range(0, len(mac), 2))


def _project(head: bytes) -> bytes:
    """An application's name; MicroPython's builds leave it empty, others do not. Empty where
    there is no whole application: then it cannot be known what was there."""
    if head[:1] != b"\xe9" or head[32:36] != b"\x32\x54\xcd\xab":
        return b""
    return head[32 + 48 :].split(b"\0")[0]


def _chip_name(machine: str) -> str | None:
    """ "Generic ESP32C3 module with ESP32C3": the chip, as esptool writes it, or None."""
    word = machine.split(" with ")[-1].upper().replace("-", "")
    match = re.search(r"ESP32[A-Z0-9]*", word)
    return next((name for name in chips() if match and name.replace("-", "") == match[0]), None)
