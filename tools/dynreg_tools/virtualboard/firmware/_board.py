"""What the firmware modules share: the built-ins they wrap, settings, the channel to the relay.

Device side. `_start` fills this module in before it loads any other.
"""

EPOCH_S = 946684800  # 2000-01-01 in Unix seconds: the epoch of an ESP32

native = {}  # name -> the unix port's own module
config = {}  # what the relay sent at this start
kept = []  # what only constant tables lead to, where the garbage collector does not look
host = None  # the host's files; no name on the board leads here
fast = None  # a _fast.Fast, on a board powered on with fast_forward
rtc_ns = 0  # added to the host's clock it gives the board's own, Unix nanoseconds
_channel = None
_writes = 0  # flash operations since power-on
reads = 0  # of the flash, not sent to the relay yet


def open_channel(fd):
    global _channel
    _channel = host.open(fd, "r+b")
    return _channel


def send(text):
    """One message to the relay, which acts on it at once; reads go with it."""
    if reads:
        send_reads()
    _channel.write(text + "\n")


def send_reads():
    global reads
    _channel.write("r%d\n" % reads)
    reads = 0


def count_read():
    """Counts one read of the flash; the relay gets many at once."""
    global reads
    reads += 1
    if reads == 1000:
        _channel.write("r1000\n")  # takes no heap: a program that has none left may still read
        reads = 0


def wait_for_the_end():
    """Never returns: the relay ends this process (reset, power cut)."""
    while True:
        try:
            native["time"].sleep(1)
        except KeyboardInterrupt:
            pass


def now_ms():
    """Milliseconds of the board's time; only differences mean something."""
    return fast.now() if fast else native["time"].ticks_ms()


def sleep_ms(ms):
    if fast:
        fast.skip(ms)
    else:
        native["time"].sleep_ms(ms)


def wait(poller, ms):
    """What a native poll object says within ms of the board's time; for ever below 0."""
    if not fast or ms <= 0:
        return poller.poll(ms)
    end = fast.now() + ms
    ready = poller.poll(fast.real_ms(ms))
    if not ready:
        fast.until(end)
    return ready


def _host_ns():
    return native["time"].time_ns() + (fast.ahead_ns() if fast else 0)


def unix_ns():
    """The board's own clock, in Unix nanoseconds."""
    return _host_ns() + rtc_ns


def set_unix_ns(value):
    global rtc_ns
    rtc_ns = value - _host_ns()
    send("T%d" % rtc_ns)


def stat_of(entry):
    """os.stat's tuple by the board's clock: a file is as old by it as by the host's."""
    ahead = unix_ns() - native["time"].time_ns()
    times = [
        t and max(0, -((-ahead - t * 1_000_000_000) // 1_000_000_000) - EPOCH_S) for t in entry[7:]
    ]
    return entry[:7] + tuple(times)


def flash_operation(tear):
    """Counts one program/erase; when its turn has come, tear(state) and lose power."""
    global _writes
    _writes += 1
    send("w")
    if config["writes"] + _writes == config["cut"]:
        tear(config["torn"])
        send("C")
        wait_for_the_end()
