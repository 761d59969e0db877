"""A new board: its flash formatted, then lib/ and this device's files written as deploy does.

Device side. Says of each file of lib/ how many reads of the flash its writing took.
"""

import os

import ramflash
import vfs

_PIECE = 4096  # deploy's, which closes the file after each


def files(place, path):
    """(path on the host, path on the board, whether it is a folder), in deploy's order."""
    for entry in sorted(ramflash.host.ilistdir(place), reverse=True):
        inner, on_board = place + "/" + entry[0], path + "/" + entry[0]
        folder = entry[1] & 0x4000
        yield inner, on_board, folder
        if folder:
            yield from files(inner, on_board)


def write(source, target):
    """Copies a file; how many reads that took."""
    before = flash.reads
    with ramflash.host.open(source, "rb") as file:
        piece, mode = file.read(_PIECE), "wb"
        while piece or mode == "wb":
            with open(target, mode) as copy:
                copy.write(piece)
            piece, mode = file.read(_PIECE), "ab"
    return flash.reads - before


flash = ramflash.RamFlash()
vfs.VfsLfs2.mkfs(flash)
ramflash.mount(flash)
os.mkdir("/lib")
for source, target, folder in files("../lib", "/lib"):
    if folder:
        os.mkdir(target)
    else:
        print("@file", target, write(source, target))
for name in ("device_info.json", "hub_ca.der"):
    write(name, "/" + name)
vfs.umount("/")
with ramflash.host.open(ramflash.IMAGE, "wb") as file:
    file.write(flash.data)
