"""Store and forward: QoS 1 messages that wait in flash, over power cuts and weeks offline.

    from dynreg.services.queue import Queue

    queue = Queue()
    queue.put("event", '{"t":21}')  # connected or not
    queue.send(session)  # in order, each until the cloud has acknowledged it

A folder of numbered files, the oldest first, each of records: length of topic (1 byte), length of
message (3), CRC-32 of these and of what follows (4), topic, message. A file is appended to until
it has 4 KB, and removed once the cloud has all of it: what was sent of the first file is sent once
more after a power cut.
"""

import uio as io
import uos as os
from micropython import const
from ubinascii import crc32

from .. import log, port
from ..errors import ConfigError, DynregError, StorageError

_LARGEST = const(16384)  # bytes of one message (docs/protocol.md, 4)
_FILE = const(4096)  # bytes of one file, and of what waits in RAM for its write; a flash block
_TWO_HOURS_MS = const(7200000)


class Queue:
    """The queue in folder, as it was left.

    messages, size: how many messages, and bytes in files and RAM (of a message 8 and its topic's
    besides its own), may be there at most; a file takes a block of flash at least. newest: when
    there are more the oldest go, a whole file of them at once; else the new one is refused.
    writes: changes of the flash an hour; an append counts twice, as its file is removed one day.
    What comes sooner waits in RAM, 4 KB at most; 0 for no limit.

    recent: the records in RAM, which a power cut would lose. dropped: messages since the start
    that found no room, were damaged in the flash or that no session can send. StorageError where
    the folder cannot be read.
    """

    def __init__(self, folder="/queue", messages=1000, size=65536, newest=False, writes=120):
        self.dropped = 0
        self.recent = []  # newer than all files
        self._folder = folder
        self._messages = messages
        self._size = size
        self._newest = newest
        self._every = _TWO_HOURS_MS // writes if writes else 0
        self._saved_at = port.ticks_add(port.ticks_ms(), -self._every)
        self._files = []  # [number, messages that wait, bytes], the oldest first
        self._at = 0  # where in the first file its first message that waits is
        self._whole = False  # whether the last file may be appended to
        self._tried = None  # the first message, where send() has tried it
        try:
            os.mkdir(folder)
        except OSError:
            pass  # it is there; else the next line says so
        try:
            names = os.listdir(folder)
        except OSError as error:
            raise StorageError("storage", "queue: %s: %r" % (folder, error)) from None
        for number in sorted(int(name) for name in names if len(name) == 8 and name.isdigit()):
            file = [number, 0, 0]
            self._files.append(file)
            self._whole = False
            try:
                with self._open("rb") as stream:
                    while found := _record(stream):
                        file[1] += 1
                        file[2] += found[2]
                    self._whole = stream.seek(0, 2) == file[2]
            except OSError:
                pass  # of the flash: what comes behind it is lost
            if not file[1]:
                self._remove(-1)

    @property
    def waiting(self):
        """How many messages wait, recent's too."""
        return sum(file[1] for file in self._files) + len(self.recent)

    def put(self, name, message, session=None):
        """Takes message (str, bytes, bytearray or memoryview; 16 KB at most) for name, a topic as
        Session.publish() has it. False where it finds no room.

        session: sends what waits and then this, where it is connected; the flash is written to
        only where that fails. Errors as of send().
        """
        try:
            topic = name.encode()
            data = message.encode() if isinstance(message, str) else bytes(memoryview(message))
            if not 0 < len(topic) < 256 or len(data) > _LARGEST:
                raise ValueError
        except (TypeError, ValueError, AttributeError):
            raise ConfigError(
                "argument", "a topic has 255 bytes at most, a message is str or bytes of 16384"
            ) from None
        head = bytes((len(topic),)) + len(data).to_bytes(3, "big")
        record = head + crc32(data, crc32(topic, crc32(head))).to_bytes(4, "big") + topic + data
        if not self._room(len(record)):
            self._drop(1)
            return False
        self.recent.append(record)
        if session:
            self.send(session)
        else:
            self.save(False)
        return True

    def send(self, session, ms=60000):
        """Publishes what waits, while session is connected; how many messages wait then.

        ms: for the acknowledgement of each, over reconnects too. DynregError where only a person
        can mend it.
        """
        while session.connected and self.waiting:
            found = None
            try:
                first = self._open("rb", 0) if self._files else io.BytesIO(self.recent[0])
                with first as stream:  # pyright: ignore (a BytesIO can do so)
                    stream.seek(self._at)
                    found = _record(stream)
            except OSError:
                pass  # of the flash, as bad as a wrong check
            if not found:
                self._end_file()
                continue
            self._tried = found
            try:
                session.publish(found[0], found[1], 1, ms)
            except DynregError as error:
                if error.code != "argument":
                    if not error.retry:
                        raise
                    break
                self._drop(1)  # a filter as topic
            if self._tried is found:  # else a callback has dropped it meanwhile
                self.skip()
        self.save(False)
        return self.waiting

    def skip(self):
        """Forgets the message that send() has tried last, and that is still the first.

        For one over which the cloud closes the connection each time: it holds up all others.
        """
        tried, self._tried = self._tried, None
        if tried:
            if self._files:
                self._at += tried[2]
                self._files[0][1] -= 1
                if not self._files[0][1]:
                    self._end_file()
            else:
                self.recent.pop(0)

    def save(self, now=True):
        """Writes what waits in RAM. now: sooner than `writes` has it, before machine.deepsleep().

        Whether nothing waits in RAM then, as where the flash does not take it.
        """
        files = self._files
        # Negative after six days: long enough as well.
        past = port.ticks_diff(port.ticks_ms(), self._saved_at)
        if self.recent and (now or not 0 <= past < self._every):
            self._saved_at = port.ticks_ms()
            data = b"".join(self.recent)
            if not (files and self._whole and files[-1][2] + len(data) <= _FILE):
                files.append([files[-1][0] + 1 if files else 1, 0, 0])
            last = files[-1]
            try:
                self._whole = False  # whatever of it is there after an error
                with self._open("ab" if last[1] else "wb") as file:
                    file.write(data)
                self._whole = True
                last[1] += len(self.recent)
                last[2] += len(data)
                self.recent = []
            except OSError as error:
                log.error("queue: %r" % error)
                if not last[1]:
                    self._remove(-1)
        return not self.recent

    def _room(self, size):
        """Whether size bytes more may wait, after what goes for them."""
        while True:
            held = sum(map(len, self.recent))
            most = self._size - held - sum(file[2] for file in self._files)
            full = size > most or self.waiting >= self._messages
            if not full and (not held or held + size <= _FILE or self.save(False)):
                return True
            if not (self._newest and self.waiting) or size > self._size:
                return False
            if full and self._files:
                self._end_file()
            else:
                if not self._files:
                    self._tried = None
                self._drop(1)
                self.recent.pop(0)

    def _drop(self, count):
        self.dropped += count
        log.warning("queue: %d dropped" % count)

    def _end_file(self):
        """Removes the first file, and drops what is left in it."""
        left = self._files[0][1]
        self._at = 0
        self._tried = None
        self._remove(0)
        if left:
            self._drop(left)

    def _remove(self, index):
        try:
            os.remove(self._path(index))
        except OSError as error:
            log.error("queue: %r" % error)
        self._files.pop(index)

    def _open(self, mode, index=-1):
        return open(self._path(index), mode)

    def _path(self, index):
        return "%s/%08d" % (self._folder, self._files[index][0])


def _record(stream):
    """(topic, message, bytes of the record) of the record that begins here; None for none."""
    head = stream.read(8)
    size = int.from_bytes(head[1:4], "big")
    if len(head) == 8 and head[0] and size <= _LARGEST:
        data = stream.read(head[0] + size)
        if crc32(data, crc32(head[:4])) == int.from_bytes(head[4:], "big"):
            return data[: head[0]].decode(), data[head[0] :], len(data) + 8
    return None
