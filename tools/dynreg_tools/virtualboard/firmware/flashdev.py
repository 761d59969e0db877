"""Flash as littlefs and FAT see it on an ESP32: 4096-byte erase blocks over an image file.

Device side. Programming and erasing count as flash operations, at which power may go; calls of
readblocks are counted by themselves.
"""

import os

import _board

BLOCK = 4096


class Flash:
    """Block device with both protocols. block_size is 4096 (littlefs) or 512 (FAT)."""

    def __init__(self, file, size, block_size=BLOCK):
        self._file = file
        self._size = size
        self._block = block_size
        self._erased = bytes(b"\xff" * BLOCK)
        self._keeps = _board.config.get("torn") == "reordered"
        self._unsynced = []  # (block, its contents before), in the order of their first change

    def readblocks(self, n, buf, off=0):
        _board.count_read()
        self._file.seek(n * self._block + off)
        self._file.readinto(buf)

    def writeblocks(self, n, buf, off=0):
        start = n * self._block + off
        if self._block != BLOCK:  # a sector smaller than an erase block: the whole block is redone
            _board.flash_operation(lambda state: self._tear_sector(start, buf, state))
        else:
            _board.flash_operation(lambda state: self._tear(start, buf, state))
        self._put(start, buf)

    def ioctl(self, op, arg):
        if op == 3:
            self._unsynced.clear()
        if op == 4:
            return self._size // self._block
        if op == 5:
            return self._block
        if op == 6:
            if self._block == BLOCK:
                start = arg * BLOCK
                _board.flash_operation(lambda state: self._tear(start, self._erased, state))
                self._put(start, self._erased)
            return 0
        return 0

    def _put(self, start, data):
        if self._keeps:
            self._remember(start - start % BLOCK)
        self._file.seek(start)
        self._file.write(data)

    def _remember(self, block):
        if all(block != changed for changed, _ in self._unsynced):
            before = bytearray(BLOCK)
            self._file.seek(block)
            self._file.readinto(before)
            self._unsynced.append((block, before))

    def _tear(self, start, data, state):
        """Leaves the region as a power cut in the middle of programming it may.

        reordered: this write came through, the block changed first since the last sync did not.
        """
        size = len(data)
        if state == "half":
            self._put(start, memoryview(data)[: size // 2])
        elif state == "erased":
            self._put(start, memoryview(self._erased)[:size])
        elif state == "random":
            self._put(start, os.urandom(size))
        elif state == "reordered":
            self._put(start, data)
            block, before = self._unsynced[0]
            if block != start - start % BLOCK:
                self._file.seek(block)
                self._file.write(before)

    def _tear_sector(self, start, data, state):
        """The same for a 512-byte sector: its whole erase block is affected."""
        base = start - start % BLOCK
        whole = bytearray(BLOCK)
        self._file.seek(base)
        self._file.readinto(whole)
        whole[start - base : start - base + len(data)] = data
        if state == "half":
            whole[BLOCK // 2 :] = self._erased[BLOCK // 2 :]
            state = "all"
        if state == "all":
            self._put(base, whole)
        else:
            self._tear(base, whole, state)


def file_system(flash, kind):
    """The file system object for a Flash, unmounted. Raises OSError when there is none on it."""
    import vfs

    return vfs.VfsFat(flash) if kind == "fat" else vfs.VfsLfs2(flash)


def make_file_system(flash, kind):
    """Formats the flash (kind "littlefs2" or "fat")."""
    import vfs

    (vfs.VfsFat if kind == "fat" else vfs.VfsLfs2).mkfs(flash)
