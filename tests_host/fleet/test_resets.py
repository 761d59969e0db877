"""Why a board restarts, by what ROM and firmware print; and when that is a loop."""

import pytest

from dynreg_tools.boards import remedies
from dynreg_tools.boards.resets import Resets

BROWNOUT = "\r\nBrownout detector was triggered\r\n\r\nets Jul 29 2019 12:21:46\r\n\r\n"
TASK_WDT = "E (5412) task_wdt: Task watchdog got triggered. The following tasks/users did not\r\n"
CASES = {
    "power": ("rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n", None),
    "power-c3": ("ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0xc\r\n", None),
    "deep-sleep": ("rst:0x5 (DEEPSLEEP_RESET),boot:0x13\r\n", None),
    "soft": ("MPY: soft reboot\r\n", None),
    "itself": ("rst:0xc (SW_CPU_RESET),boot:0x13\r\n", "board.restarts"),
    "itself-s3": ("rst:0xc (RTC_SW_CPU_RST),boot:0x8\r\n", "board.restarts"),
    "brownout": (BROWNOUT + "rst:0xc (SW_CPU_RESET),boot:0x13\r\n", "board.brownout"),
    "brownout-by-name": ("rst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13\r\n", "board.brownout"),
    "brownout-c3": ("rst:0xf (BROWNOUT_RST),boot:0xc\r\n", "board.brownout"),
    "watchdog": ("rst:0x8 (TG1WDT_SYS_RESET),boot:0x17\r\n", "board.watchdog"),
    "watchdog-task": (
        TASK_WDT + "abort() was called at PC 0x400d\r\nrst:0xc (SW_CPU_RESET)\r\n",
        "board.watchdog",
    ),
    "watchdog-interrupt": (
        "Guru Meditation Error: Core  0 panic'ed (Interrupt wdt timeout on CPU0).\r\n"
        "rst:0xc (SW_CPU_RESET)\r\n",
        "board.watchdog",
    ),
    "panic": (
        "Guru Meditation Error: Core  1 panic'ed (LoadProhibited).\r\n\r\n"
        "Backtrace: 0x400d\r\n\r\nRebooting...\r\nrst:0x3 (SW_RESET),boot:0x13\r\n",
        "board.panic",
    ),
    "blank": ("rst:0x10 (RTCWDT_RTC_RESET)\r\ninvalid header: 0xffffffff\r\n", "board.firmware"),
    "loader": ("rst:0x1 (POWERON),boot:0x3\r\nwaiting for download\r\n", "board.loader"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_in_whatever_pieces(name):
    text, cause = CASES[name]
    resets = Resets()
    for byte in text.encode():
        resets.feed(bytes([byte]))
    assert (resets.cause, resets.count) == (cause, 1)
    assert not cause or cause in remedies.TOOLS


def test_three_of_one_kind_are_a_loop_and_a_good_start_ends_it():
    resets = Resets()
    panic, power = CASES["panic"][0].encode(), CASES["power"][0].encode()
    resets.feed(panic + panic)
    assert not resets.looping
    resets.feed(power)
    assert not resets.looping
    resets.feed(panic)
    assert resets.looping


def test_what_a_program_says_before_a_reset_is_not_the_reason_for_the_next():
    resets = Resets()
    resets.feed(CASES["brownout"][0].encode() + CASES["itself"][0].encode())
    assert resets.cause == "board.restarts"
