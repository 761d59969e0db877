"""A firmware.bin as MicroPython's makeimg.py makes it: boot loader, partition table, application.

Boot loader and application are images that esptool itself has written, with nothing to run in
them; the table is that of MicroPython's partitions-4MiBplus.csv.
"""

import hashlib
import secrets
import struct

from esptool.bin_image import ELFSection
from esptool.targets import CHIP_DEFS

from dynreg_tools.boards.flashing.chips import chips

NVS = (0x9000, 0x6000)
STANDARD = (("nvs", 1, 2, *NVS), ("phy_init", 1, 1, 0xF000, 0x1000))
FACTORY = ("factory", 0, 0, 0x10000, 0x1F0000)


def table(*partitions):
    """The bytes of a partition table with its MD5, padded to 0xC00."""
    entries = b"".join(
        struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, name.encode(), 0)
        for name, kind, subtype, offset, size in partitions
    )
    digest = b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    return (entries + digest).ljust(0xC00, b"\xff")


def image(chip, size, text=b"", flash=4, revisions=(0, 0xFFFF)):
    """One image for a chip, of a segment of `size` random bytes that begins with text.

    flash: MiB. revisions: of the chip, the first and the last one.
    """
    made = CHIP_DEFS[chip].BOOTLOADER_IMAGE()
    made.flash_size_freq = (flash.bit_length() - 1) << 4
    made.min_rev_full, made.max_rev_full = revisions
    content = text + secrets.token_bytes(size - len(text))
    made.segments = [ELFSection(b"text", 0x3FFE8000, content, 0)]
    return made.save(None)


def firmware(chip="esp32", size=70000, app=FACTORY, version="v1.29.0", more=(), **how):
    """The whole file; size: of the application's segment, bytes; more: partitions behind it.

    how: flash and revisions of image().
    """
    text = f"MicroPython {version} on 2026-08-01".encode()
    start = chips()[CHIP_DEFS[chip].CHIP_NAME].offset
    pieces = (
        (start, image(chip, min(size, 20000), **how)),
        (0x8000, table(*STANDARD, app, *more)),
        (app[3], image(chip, size, text, **how)),
    )
    data = b""
    for at, piece in pieces:
        data = data.ljust(at - start, b"\xff") + piece
    return data
