"""services/queue.py: what waits in flash, in which order it goes out, what is dropped."""

import fakes
import packets
from broker import TOPIC, connected
from dynreg.errors import ConfigError, NetworkError, StorageError
from dynreg.services import queue as module
from dynreg.services.queue import Queue

HOUR = 3600000


class Taker:
    """What send() needs of a session: takes all but for the first faults, by their exceptions."""

    def __init__(self, *faults, then=lambda: None):
        self.connected = True
        self.got = []
        self.faults = list(faults)
        self.then = then

    def publish(self, name, message, qos, ms):
        assert (qos, ms) == (1, 60000)
        self.then()
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            raise fault
        self.got.append((name, bytes(message)))


def _sent(queue):
    """What a cloud that takes everything gets."""
    taker = Taker()
    assert queue.send(taker) == 0
    return [message for _, message in taker.got]


def _numbered(first, last):
    return [b"%d" % number for number in range(first, last)]


def _fill(queue, first, last):
    """Whether each was taken."""
    return [queue.put("event", message) for message in _numbered(first, last)]


def _writes(folder):
    """A list that gets the mode of each file that the queue opens to write."""
    modes = []

    def opened(path, mode):
        if mode != "rb":
            modes.append(mode)
        return open(path, mode)

    fakes.replace(module, "open", opened)
    return modes


# --- in order, each until its PUBACK -------------------------------------------------------------


def test_what_waits_goes_out_in_order_on_a_real_session():
    bench, queue = connected(), Queue(fakes.folder())
    for message in ("one", b"two", bytearray(b"three"), memoryview(b"four"), b""):
        assert queue.put("event", message) is True
    assert queue.waiting == 5
    bench.peer.expect(*[packets.puback(pid) for pid in range(1, 6)])
    assert queue.send(bench.session) == 0
    assert bench.peer.segments == [
        packets.publish(TOPIC + "event", message, pid)
        for pid, message in enumerate((b"one", b"two", b"three", b"four", b""), 1)
    ]


def test_a_message_without_its_puback_stays_with_all_behind_it():
    bench, folder = connected(), fakes.folder()
    queue = Queue(folder, writes=0)
    _fill(queue, 0, 4)
    bench.peer.expect(packets.puback(1), packets.puback(2))
    assert queue.send(bench.session, 1000) == 2
    assert _sent(queue) == _numbered(2, 4)
    assert fakes.files(folder) == {}


def test_nothing_is_tried_without_a_connection():
    queue = Queue(fakes.folder())
    _fill(queue, 0, 2)
    taker = Taker()
    taker.connected = False
    assert queue.send(taker) == 2
    assert taker.got == []


def test_with_a_session_the_flash_is_written_to_only_where_that_fails():
    fakes.Clock()
    folder = fakes.folder()
    modes = _writes(folder)
    queue, taker = Queue(folder), Taker()
    for message in _numbered(0, 20):
        assert queue.put("event", message, taker) is True
    assert modes == []
    taker.faults.append(NetworkError("network.unacknowledged", "gone"))
    assert queue.put("event", b"20", taker) is True
    assert modes == ["wb"]
    assert _sent(Queue(folder)) == [b"20"]


def test_the_topic_is_kept_with_each_message():
    queue, taker = Queue(fakes.folder()), Taker()
    names = ["event", "$thing/up/property/A/b", "ä" * 127]
    for name in names:
        queue.put(name, b"x")
    queue.send(taker)
    assert taker.got == [(name, b"x") for name in names]


def test_what_no_session_can_send_is_dropped_and_holds_up_nobody():
    bench, queue = connected(), Queue(fakes.folder())
    queue.put("a/+", b"a filter")
    queue.put("event", b"good")
    bench.peer.expect(packets.puback(1))
    assert queue.send(bench.session) == 0
    assert queue.dropped == 1
    assert bench.peer.segments == [packets.publish(TOPIC + "event", b"good", 1)]


def test_what_only_a_person_can_mend_comes_out_and_loses_nothing():
    queue = Queue(fakes.folder())
    _fill(queue, 0, 2)
    fakes.raises(ConfigError, queue.send, Taker(ConfigError("config", "no")), code="config")
    assert _sent(queue) == _numbered(0, 2)


def test_arguments():
    queue = Queue(fakes.folder())
    for name, message in (
        ("", b""),
        ("x" * 256, b""),
        (None, b""),
        (b"event", b""),
        ("event", None),
        ("event", 5),
        ("event", bytes(16385)),
    ):
        fakes.raises(ConfigError, queue.put, name, message, code="argument")
    assert queue.waiting == queue.dropped == 0
    assert queue.put("event", bytes(16384)) is True
    fakes.raises(StorageError, Queue, "/no/such/folder", code="storage")


def test_one_that_the_cloud_never_takes_can_be_skipped():
    for writes in (0, 1):  # in files, in RAM
        fakes.Clock()
        queue = Queue(fakes.folder(), writes=writes)
        _fill(queue, 0, 3)
        queue.skip()  # nothing was tried
        taker = Taker(None, NetworkError("network.closed", "gone"))
        assert queue.send(taker) == 2
        queue.skip()
        queue.skip()
        assert _sent(queue) == [b"2"]
        fakes.restore()


# --- resets and power cuts -----------------------------------------------------------------------


def test_what_waits_outlives_a_reset():
    fakes.Clock()
    folder = fakes.folder()
    for start in range(0, 100, 10):
        queue = Queue(folder, writes=0)
        assert queue.waiting == start
        _fill(queue, start, start + 10)
    assert _sent(Queue(folder)) == _numbered(0, 100)
    assert Queue(folder).waiting == 0


def test_after_a_reset_no_more_than_the_first_file_is_sent_again():
    folder = fakes.folder()
    queue = Queue(folder, writes=0)
    for number in range(12):
        queue.put("event", b"%04d" % number + bytes(990))
    assert len(fakes.files(folder)) == 3
    taker = Taker(*[None] * 6, NetworkError("network.closed", "gone"))
    assert queue.send(taker) == 6
    again = [int(message[:4]) for message in _sent(Queue(folder))]
    assert again == list(range(4, 12))


def test_a_file_cut_at_each_byte_gives_its_whole_messages_and_takes_new_ones():
    folder = fakes.folder()
    queue = Queue(folder, writes=0)
    ends = [0]
    for message in (b"first", b"second", b""):
        queue.put("event", message)
        ends.append(len(fakes.read(folder + "/00000001")))
    data = fakes.read(folder + "/00000001")
    for size in range(len(data)):
        fakes.write(folder + "/00000001", data[:size])
        queue = Queue(folder, writes=0)
        whole = [b"first", b"second", b""][: len([end for end in ends[1:] if end <= size])]
        assert queue.waiting == len(whole), size
        queue.put("event", b"new")
        assert _sent(Queue(folder)) == whole + [b"new"], size  # noqa: RUF005
        assert fakes.files(folder) == {}, size


def test_a_byte_that_changed_invents_nothing():
    folder = fakes.folder()
    queue = Queue(folder, writes=0)
    good = [b"first", b"second", b"third"]
    for message in good:
        queue.put("event", message)
    data = fakes.read(folder + "/00000001")
    for at in range(len(data)):
        for change in (1, 128, data[at] or 255):
            bad = bytearray(data)
            bad[at] ^= change
            fakes.write(folder + "/00000001", bad)
            taker = Taker()
            Queue(folder).send(taker)
            found = [message for _, message in taker.got]
            assert found == good[: len(found)] and len(found) < 3, (at, change)
            assert {name for name, _ in taker.got} <= {"event"}, (at, change)


def test_a_file_that_changes_under_the_queue_holds_up_nobody():
    folder = fakes.folder()
    queue = Queue(folder, writes=0)
    for number in range(8):
        queue.put("event", b"%04d" % number + bytes(990))
    fakes.write(folder + "/00000001", bytes(3000))
    assert [int(message[:4]) for message in _sent(queue)] == [4, 5, 6, 7]
    assert queue.dropped == 4


def test_what_is_no_file_of_the_queue_is_left_alone():
    folder = fakes.folder()
    for name in ("1", "notes.txt", "00000001.tmp", "123456789"):
        fakes.write(folder + "/" + name, b"not ours")
    queue = Queue(folder, writes=0)
    assert queue.waiting == 0
    _fill(queue, 0, 3)
    assert _sent(Queue(folder)) == _numbered(0, 3)
    assert len(fakes.files(folder)) == 4


# --- bounds --------------------------------------------------------------------------------------


def test_the_oldest_stay_when_it_is_full():
    queue = Queue(fakes.folder(), messages=5, writes=0)
    assert _fill(queue, 0, 8) == [True] * 5 + [False] * 3
    assert queue.dropped == 3
    assert _sent(queue) == _numbered(0, 5)
    assert _fill(queue, 8, 9) == [True]


def test_the_newest_stay_when_that_is_asked_for():
    for writes in (0, 1):  # in files, in RAM
        fakes.Clock()
        queue = Queue(fakes.folder(), messages=5, newest=True, writes=writes)
        assert _fill(queue, 0, 18) == [True] * 18
        kept = _sent(queue)
        assert 0 < len(kept) <= 5 and kept == _numbered(18 - len(kept), 18), kept
        assert queue.dropped == 18 - len(kept)
        fakes.restore()


def test_the_bytes_are_bounded_in_files_and_ram():
    for newest in (False, True):
        folder = fakes.folder()
        queue = Queue(folder, size=20000, newest=newest, writes=0)
        for number in range(100):
            queue.put("event", b"%04d" % number + bytes(996))
            assert sum(map(len, fakes.files(folder).values())) <= 20000
        kept = [int(message[:4]) for message in _sent(queue)]
        assert len(kept) + queue.dropped == 100
        assert kept == list(range(100 - len(kept), 100) if newest else range(len(kept))), kept
        assert len(kept) >= 16


def test_one_that_never_fits_drops_no_other():
    queue = Queue(fakes.folder(), size=1000, newest=True)
    _fill(queue, 0, 3)
    assert queue.put("event", bytes(1000)) is False
    assert _sent(queue) == _numbered(0, 3)


def test_writes_of_the_flash_are_bounded_by_the_hour():
    clock, folder = fakes.Clock(), fakes.folder()
    modes = _writes(folder)
    queue = Queue(folder, writes=20)
    for number in range(600):
        queue.put("event", b"%03d" % number)
        clock.passed += 6000
        if number == 299:  # half an hour: ten of them would be removals
            assert 1 < len(modes) <= 6, len(modes)
    assert len(modes) <= 11
    assert _sent(queue) == [b"%03d" % number for number in range(600)]


def test_a_clock_that_went_round_since_the_last_write_does_not_stop_the_next():
    clock, folder = fakes.Clock(), fakes.folder()
    queue = Queue(folder)
    for day in range(40):
        queue.put("event", b"%02d" % day)
        assert queue.recent == [], day
        clock.passed += 24 * HOUR
    assert _sent(Queue(folder)) == [b"%02d" % day for day in range(40)]


def test_ram_is_bounded_where_the_writes_are_used_up():
    for newest in (False, True):
        fakes.Clock()
        queue = Queue(fakes.folder(), newest=newest)
        for number in range(100):
            queue.put("event", b"%04d" % number + bytes(96))
            assert sum(map(len, queue.recent)) <= 4096
        kept = [int(message[:4]) for message in _sent(queue)]
        assert kept[0] == 0 and len(kept) + queue.dropped == 100
        later = kept[1:]
        assert later == list(range(101 - len(kept), 100) if newest else range(1, len(kept))), later
        fakes.restore()


def test_save_writes_what_waits_in_ram():
    fakes.Clock()
    folder = fakes.folder()
    queue = Queue(folder)
    _fill(queue, 0, 5)
    assert len(queue.recent) == 4 and Queue(folder).waiting == 1
    assert queue.save() is True
    assert queue.recent == [] and _sent(Queue(folder)) == _numbered(0, 5)


def test_what_the_flash_does_not_take_waits_in_ram():
    folder = fakes.folder()
    queue = Queue(folder, writes=0)
    _fill(queue, 0, 2)

    def full(path, mode):
        if mode == "rb":
            return open(path, mode)
        with open(path, mode) as file:
            file.write(b"half of it")
        raise OSError(28)  # ENOSPC

    fakes.replace(module, "open", full)
    assert queue.put("event", b"2") is True
    assert queue.save() is False
    fakes.replace(module, "open", open)
    assert queue.put("event", b"3") is True
    assert queue.recent == []
    assert _sent(Queue(folder)) == _numbered(0, 4)


# --- calls within calls --------------------------------------------------------------------------


def test_a_callback_may_put_save_and_send_meanwhile():
    fakes.Clock()
    folder = fakes.folder()
    queue, made = Queue(folder), []

    def then():
        if len(made) < 9:
            made.append(b"%d" % (3 + len(made)))
            queue.put("event", made[-1])
            queue.save()

    taker = Taker(then=then)
    _fill(queue, 0, 3)
    assert queue.send(taker) == 0
    assert [message for _, message in taker.got] == _numbered(0, 12)
    assert fakes.files(folder) == {}


def test_a_send_within_a_send_takes_no_other_with_it():
    queue, inner = Queue(fakes.folder(), writes=0), Taker(None, NetworkError("network.closed", ""))

    def then():
        queue.send(inner)

    _fill(queue, 0, 3)
    taker = Taker(None, NetworkError("network.closed", ""), then=then)
    queue.send(taker)
    got = [message for _, message in inner.got + taker.got]
    assert set(got) | set(_sent(queue)) == set(_numbered(0, 3))


def test_what_a_callback_drops_meanwhile_takes_no_other_with_it():
    for writes in (0, 1):  # in files, in RAM
        fakes.Clock()
        queue, left = Queue(fakes.folder(), messages=3, newest=True, writes=writes), [1]

        def then(queue=queue, left=left):
            if left:
                left.pop()
                queue.put("event", b"new")

        taker = Taker(then=then)
        _fill(queue, 0, 3)
        queue.send(taker)
        got = [message for _, message in taker.got]
        assert got[0] == b"0" and got[-1] == b"new", got
        assert sorted(set(got)) == sorted(got), got
        fakes.restore()
