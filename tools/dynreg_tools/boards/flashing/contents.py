"""Does a board hold a credential? Asked of its REPL, else read from its flash.

No secret leaves the board here: onboard/credential.py answers with names and places only. Where a
credential lies is described in docs/credentials.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .. import answers, onboard
from ..link import Link
from . import partitions

# A blob of that name in the NVS partition, ESP-IDF's format: namespace entry, then key entry. An
# erased key stays readable until its page is reused, so this can say yes too often, never no.
_NVS_NAMESPACE = re.compile(rb"\x00\x01\x01\xff....dynreg\0{10}", re.DOTALL)
_NVS_KEY = re.compile(rb"credential\0{6}")
_NVS_OWNER = re.compile(rb'credential\0{6}.{12}\["([ -!#-~]+/[ -!#-~]+)"', re.DOTALL)
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


def from_flash(read: Callable[[int, int], bytes], mac: str) -> Contents:
    """As its flash shows, where the REPL does not answer. read(address, size) gives its bytes."""
    table = partitions.parse(read(partitions.ADDRESS, partitions.SIZE))
    if table is None:
        return Contents((), mac)
    nvs = read(table.nvs.offset, table.nvs.size) if table.nvs else b""
    name = _project(read(table.app.offset, _HEAD)) if table.app else b""
    if _NVS_NAMESPACE.search(nvs) and _NVS_KEY.search(nvs):
        owner = _NVS_OWNER.search(nvs)
        return Contents(("NVS",), mac, owner[1].decode() if owner else None)
    return Contents(None if name in (b"", b"micropython") else (), mac)


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
    match = re.search(r"ESP32(S2|S3|C3|C6)?(?![A-Z0-9])", word)
    return match and ("ESP32-" + match[1] if match[1] else "ESP32")
