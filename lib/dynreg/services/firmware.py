"""Firmware images over the air, for boards with two OTA slots (docs/ota.md). Needs services/ota.

from dynreg.services import firmware

updater = firmware.Updater(session)  # in the place of ota.Updater: it takes bundles as well
"""

import uhashlib as hashlib
from micropython import const
from ubinascii import hexlify

from .. import log, port
from ..errors import StorageError
from . import ota

_BLOCK = const(4096)
_NOTED = const(65536)  # bytes between two notes of how much is there
_STARTS = const(3)  # of a new image, before it is given up
_SECONDS = const(600)  # that one may run before it is confirmed
_IMAGE = const(0xE9)  # the first byte of an image


class Updater(ota.Updater):
    """As ota.Updater. An image goes straight into the slot that does not run.

    It is on trial from its first start on: confirm() tells the bootloader as well. One that is not
    confirmed is gone with the next reset, where the bootloader can do that, else after 10 minutes.
    """

    def __init__(self, session):
        self.slot = None
        self._label = None
        try:
            from esp32 import Partition

            self._running = Partition(Partition.RUNNING)  # pyright: ignore
            self._label = self._running.info()[4]
            self.slot = self._running.get_next_update()
        except (ImportError, AttributeError, OSError):
            pass  # a firmware without slots: bundles only
        super().__init__(session)

    def confirm(self):
        image = self.trial and "at" in self.state
        if image:
            try:
                self._running.mark_app_valid_cancel_rollback()
            except OSError as error:
                log.info("ota: the bootloader rolls nothing back: %r" % error)
        super().confirm()
        if image:
            self._restart = None  # no watchdog was set

    def there(self, job):
        at = self.state.get("at")
        return at[1] if at else super().there(job)

    def fetch(self, job, sink=None):
        if "at" not in self.state and not super().there(job):
            first = _First()
            try:
                super().fetch(job, first)
            except StorageError:
                pass  # its way to end
            if first.byte != _IMAGE:
                return super().fetch(job)
            if not self.slot or self.slot.info()[3] < job["file_size"]:
                raise StorageError("ota.slots", "this firmware has no slot for such an image")
            self._keep(job=job, at=[self.slot.info()[4], 0])
        if "at" in self.state:
            sink = _Sink(self, job)
        super().fetch(job, sink)

    def apply(self, job):
        at = self.state.get("at")
        if not at:
            return super().apply(job)
        tries = self.state.get("tries", 0)
        if tries >= _STARTS:
            raise StorageError("ota.bundle", "the image was not confirmed in %d starts" % tries)
        hash = hashlib.md5()
        data = bytearray(_BLOCK)
        left = job["file_size"]
        while left > 0:
            self.slot.readblocks((job["file_size"] - left) // _BLOCK, data)
            hash.update(memoryview(data)[: min(left, _BLOCK)])
            left -= _BLOCK
            port.idle()
        if hexlify(hash.digest()).decode() != job["md5sum"].lower():
            raise StorageError("ota.hash", "the image has another hash than was told")
        self._keep(job=job, tries=tries + 1)
        try:
            self.slot.set_boot()
        except OSError as error:
            raise StorageError("ota.bundle", "the slot does not start: %r" % error) from None

    def _work(self, job):
        if not self.trial:
            super()._work(job)

    def back(self):  # pyright: ignore
        if "at" not in self.state:
            return super().back()
        self._until = None
        try:
            self.slot.set_boot()  # of two slots: the one before
        except OSError as error:
            log.error("ota: there is no image to go back to: %r" % error)
            return None
        self._reset()

    def _keep(self, run=None, version=None, **more):
        job = more.get("job")
        if job and job["md5sum"] == (self.state.get("job") or job)["md5sum"]:
            for name in ("at", "tries"):
                if name in self.state and name not in more:
                    more[name] = self.state[name]
        super()._keep(run, version, **more)

    def _know(self, state):
        super()._know(state)
        at = state.get("at")
        if at and at[0] == self._label:  # the image itself runs
            self.trial = True
            self.version = state["job"]["version"]
            state["seconds"] = _SECONDS


class _First:
    """A sink for the first byte."""

    byte = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def seek(self, *_):
        return 0

    def write(self, data):
        self.byte = data[0]
        raise OSError


class _Sink:
    """The slot, block by block; how much is there is noted now and then, and at the end."""

    def __init__(self, updater, job):
        self._updater = updater
        self._job = job
        self._label, self._at = updater.state["at"]
        self._data = bytearray(_BLOCK)
        self._fill = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._note()

    def _note(self):
        self._updater._keep(job=self._job, at=[self._label, self._at])

    def seek(self, *_):
        return self._at + self._fill

    def write(self, data):
        data = memoryview(data)
        while data:
            count = min(len(data), _BLOCK - self._fill)
            self._data[self._fill : self._fill + count] = data[:count]
            self._fill += count
            data = data[count:]
            if self._fill == _BLOCK or self.seek() == self._job["file_size"]:
                self._updater.slot.writeblocks(self._at // _BLOCK, self._data)
                self._at += self._fill
                self._fill = 0
                if not self._at % _NOTED:
                    self._note()

    def flush(self):
        pass
