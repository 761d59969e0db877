"""esp32.Partition of a board with two OTA slots; loaded by such a board alone. Device side."""

import _board
import _slots
import esp_esp32

_ENOENT = 2
_ANY = 0xFF


class Partition(esp_esp32.Partition):
    def __init__(self, id, block_size=4096):
        self._block = block_size
        if id == self.RUNNING:
            self._number = _board.config["running"]
        elif id == self.BOOT:
            self._number = _slots.load()["boot"]
        elif id in _slots.LABELS:
            self._number = _slots.LABELS.index(id)
        else:
            raise OSError(_ENOENT)

    @classmethod
    def find(cls, type=esp_esp32.Partition.TYPE_APP, subtype=_ANY, label=None, block_size=4096):
        found = [cls(one, block_size) for one in _slots.LABELS if label in (None, one)]
        return [one for one in found if type == cls.TYPE_APP and subtype in (_ANY, one.info()[1])]

    def info(self):
        at, label = 0x10000 + self._number * _slots.SIZE, _slots.LABELS[self._number]
        return (self.TYPE_APP, 0x10 + self._number, at, _slots.SIZE, label, False)

    def readblocks(self, block_num, buf, offset=0):
        _slots.read(self._number, block_num * self._block + offset, memoryview(buf))

    def writeblocks(self, block_num, buf, offset=0):
        start = block_num * self._block + offset
        if start + len(buf) > _slots.SIZE:
            raise OSError(-0x104, "ESP_ERR_INVALID_SIZE")
        _slots.write(self._number, start, buf)

    def set_boot(self):
        _slots.choose(self._number)

    def get_next_update(self):
        return Partition(_slots.LABELS[1 - self._number])

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        _slots.confirm()


esp_esp32.Partition = Partition
