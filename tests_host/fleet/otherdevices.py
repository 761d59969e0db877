"""FAKES: a pty in place of a board that has no prompt: other devices, and boards that never start.

What restarting chips print are the lines of their ROMs and of ESP-IDF; no chip was there.
"""

import os
import select
import threading
import time
from contextlib import contextmanager, suppress

from dynreg_tools.virtualboard.serialport import make_raw

_PAUSE_S = 0.02
ROM = b"ets Jul 29 2019 12:21:46\r\n\r\n%s,boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
LOADER = b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n"
GARBAGE = bytes((index * 37) % 128 + 128 for index in range(200))


def silent(typed):
    return b""


def echo(typed):
    return typed


def modem(typed):
    return typed + b"\r\nERROR\r\n" if typed else b""


def noise(typed):
    return b"temperature 21.5 humidity 40 "


def garbage(typed):
    return GARBAGE


def brownout(typed):
    return b"\r\nBrownout detector was triggered\r\n\r\n" + ROM % b"rst:0xc (SW_CPU_RESET)"


def panic(typed):
    text = (
        b"Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled.\r\n"
    )
    return text + b"Rebooting...\r\n" + ROM % b"rst:0xc (SW_CPU_RESET)"


def watchdog(typed):
    return ROM % b"rst:0x8 (TG1WDT_SYS_RESET)"


def blank(typed):
    return ROM % b"rst:0x10 (RTCWDT_RTC_RESET)" + b"invalid header: 0xffffffff\r\n" * 3


def loader(typed):
    return ROM[:28] + LOADER if typed else b""


KINDS = (silent, echo, modem, noise, garbage, brownout, panic, watchdog, blank, loader)


@contextmanager
def plugged_in(folder):
    """A link in folder for each kind, named by it, which leads to its port; their names."""
    done = threading.Event()
    threads, files = [], []
    for kind in KINDS:
        ours, theirs = os.openpty()
        make_raw(theirs)
        (folder / kind.__name__).symlink_to(os.ttyname(theirs))
        threads.append(threading.Thread(target=_talk, args=(ours, kind, done)))
        files += [ours, theirs]
    for thread in threads:
        thread.start()
    try:
        yield [kind.__name__ for kind in KINDS]
    finally:
        done.set()
        for thread in threads:
            thread.join()
        for file in files:
            os.close(file)


def _talk(fd, says, done):
    os.set_blocking(fd, False)
    while not done.is_set():
        typed = os.read(fd, 4096) if select.select([fd], [], [], _PAUSE_S)[0] else b""
        with suppress(BlockingIOError):  # nobody reads
            os.write(fd, says(typed))
        time.sleep(_PAUSE_S)
