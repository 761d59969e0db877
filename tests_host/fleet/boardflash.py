"""The flash chip of a virtual board, as a ROM loader sees it: firmware, NVS and files in one.

A virtual board keeps its file system and its NVS in two files of its own. here() lays them out as
they lie on an ESP32, NVS made by Espressif's own generator; back() takes what was written there.
"""

import io
import json
from binascii import crc32

from esp_idf_nvs_partition_gen import nvs_partition_gen

from tests_host.fleet.firmware_file import NVS

FILES = 0x200000


def partition(keys: dict[str, bytes]) -> bytes:
    """An NVS partition that holds blobs by "namespace/name"."""
    output = io.BytesIO()
    size, _ = nvs_partition_gen.check_size(str(NVS[1]))
    nvs = nvs_partition_gen.nvs_open(output, size, version=nvs_partition_gen.Page.VERSION2)
    with nvs:
        for key, value in keys.items():
            namespace, name = key.split("/")
            nvs_partition_gen.write_entry(nvs, namespace, "namespace", "", "")
            nvs_partition_gen.write_entry(nvs, name, "data", "hex2bin", value.hex())
    data = output.getvalue()
    assert len(data) == NVS[1]
    return data


def record_of(owner: str, *credential: str) -> bytes:
    """The second copy of a credential, as the library keeps it in NVS dynreg/credential."""
    text = json.dumps([owner, 1700000000, *credential]).encode()
    return crc32(text).to_bytes(4, "big") + text


def here(board, flash: bytearray) -> bytes:
    """Puts the board's files and NVS into flash; what NVS was then."""
    files = (board.folder / "flash.img").read_bytes()
    flash[FILES : FILES + len(files)] = files
    place = board.folder / "nvs.bin"
    keys = {}
    for line in place.read_text().splitlines() if place.exists() else ():
        namespace, name, value = line.split("\t")
        if value[0] == "b":
            keys[f"{namespace}/{name}"] = bytes.fromhex(value[1:])
    nvs = partition(keys) if keys else b"\xff" * NVS[1]
    flash[NVS[0] : sum(NVS)] = nvs
    return nvs


def back(board, flash: bytearray, nvs_before: bytes) -> None:
    """Takes files from flash; NVS is gone where anything was written over it."""
    size = board.settings["flash_size"]
    (board.folder / "flash.img").write_bytes(flash[FILES : FILES + size])
    if bytes(flash[NVS[0] : sum(NVS)]) != nvs_before:
        (board.folder / "nvs.bin").unlink(missing_ok=True)
