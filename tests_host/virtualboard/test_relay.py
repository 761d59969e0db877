"""The relay alone: events in, actions out; no process, no port, no clock."""

import pytest

from dynreg_tools.virtualboard.actions import End, Forget, Interrupt, Show, Start, Type, Unplug
from dynreg_tools.virtualboard.output import DEEPSLEEP, HARD, PWRON, SOFT, WDT
from dynreg_tools.virtualboard.relay import EPOCH_NS, NEVER, Relay

BANNER = b'MicroPython 9; linux [GCC] version\r\nType "help()" for more information.\r\n'
RAW = b"raw REPL; CTRL-B to exit\r\n>"
OFF = {"active": False, "ssid": None, "key": None, "kept": False, "point": {}}


@pytest.fixture
def relay():
    tokens = iter(f"token{number}" for number in range(99))
    relay = Relay(cable=False, token=lambda: next(tokens))
    relay.power_on(None, EPOCH_NS)
    return relay


def mark(relay, status):
    return b"\0token%d%s linux [GCC] version\0" % (relay.starts - 1, status)


def at_prompt(relay, status=b"ok"):
    """The board's programs have ended; it is at its friendly prompt."""
    relay.message(b"S", 0)
    return relay.printed(mark(relay, status) + BANNER + b">>> ")


def shown(actions):
    return b"".join(action.data for action in actions if isinstance(action, Show))


def started(actions):
    """The config of the one MicroPython that was started."""
    (config,) = [action.config for action in actions if isinstance(action, Start)]
    return config


def test_power_on_starts_micropython_with_what_it_keeps():
    relay = Relay(cable=False, token=lambda: "t")
    assert relay.state == "off"
    actions = relay.power_on(7, EPOCH_NS + 5)
    assert [type(action) for action in actions] == [Show, Forget, Start]
    assert shown(actions) == b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET)\r\n"
    assert started(actions) == {
        "cause": PWRON,
        "raw": False,
        "rtc_ns": -5,
        "writes": 0,
        "cut": 7,
        "wifi_state": OFF,
        "token": "t",
    }
    assert (relay.state, relay.starts, relay.main_status) == ("boot", 1, None)


def test_the_prompt_comes_after_the_mark_in_whatever_pieces(relay):
    text = b"hello\n" + mark(relay, b"ok") + BANNER + b">>> "
    relay.message(b"S", 0)
    out = b"".join(shown(relay.printed(bytes([byte]))) for byte in text)
    assert out + shown(relay.quiet()) == (
        b"hello\r\n"
        b'MicroPython 9; VIRTUAL ESP32 board with ESP32\r\nType "help()" for more information.\r\n'
        b">>> "
    )
    assert (relay.state, relay.main_status, relay.first_end) == ("up", "ok", "ok")


def test_a_piece_that_may_be_a_mark_is_held_back(relay):
    at_prompt(relay)
    assert shown(relay.printed(b"x\0tok")) == b"x"
    assert relay.holds_back
    assert shown(relay.quiet()) == b"\0tok"
    assert not relay.holds_back


def test_what_is_typed_waits_for_the_program_and_a_ctrl_c_interrupts(relay):
    assert relay.typed(b"ab\x03c") == []
    assert relay.message(b"S", 0) == [Type(b"ab"), Interrupt(), Type(b"c")]
    relay.printed(mark(relay, b"ok"))
    assert relay.typed(b"later") == []
    assert relay.printed(BANNER + b">>> ")[-1] == Type(b"later")


def test_the_end_of_a_process_is_a_soft_reset_that_keeps_clock_wifi_and_watchdog(relay):
    at_prompt(relay)
    relay.message(b"T12", 0)
    relay.message(b'N{"ssid": "lab"}', 0)
    relay.message(b"W500", 10)
    assert relay.closed() == [End(kill=False)]
    actions = relay.gone(0)
    assert shown(actions) == b"MPY: soft reboot\r\n"
    config = started(actions)
    assert (config["cause"], config["rtc_ns"]) == (SOFT, 12)
    assert config["wifi_state"] == {"ssid": "lab", "kept": True}
    assert relay.deadline == 10.5
    assert relay.first_end == "ok"
    assert relay.main_status is None


def test_from_the_raw_prompt_a_soft_reset_leads_back_to_it(relay):
    at_prompt(relay)
    relay.printed(RAW)
    relay.closed()
    assert started(relay.gone(0))["raw"]
    relay.message(b"S", 0)
    assert relay.printed(mark(relay, b"ok") + BANNER + b">>> ") == [Type(b"\x01")]
    assert relay.state == "raw"
    assert shown(relay.printed(b"\r\n" + RAW[:9])) == b""
    assert shown(relay.printed(RAW[9:])) == RAW
    assert relay.state == "up"


@pytest.mark.parametrize("code, cause", [(-11, HARD), (-2, SOFT), (0, SOFT), (1, SOFT)])
def test_a_crash_is_a_hard_reset(relay, code, cause):
    at_prompt(relay)
    relay.closed()
    actions = relay.gone(code)
    assert started(actions)["cause"] == cause
    assert (b"died of signal 11" in shown(actions)) == (cause == HARD)


def test_machine_reset_ends_the_process_and_then_starts_another(relay):
    at_prompt(relay)
    relay.message(b"T12", 0)
    assert relay.message(b"R", 0) == [End(kill=True)]
    assert shown(relay.printed(b"last words")) == b"last words"
    actions = relay.gone(-9)
    assert b"SW_CPU_RESET" in shown(actions)
    assert (started(actions)["cause"], started(actions)["rtc_ns"]) == (HARD, 12)
    assert started(actions)["wifi_state"] == OFF


def test_a_second_wish_to_end_changes_nothing(relay):
    relay.message(b"R", 0)
    assert relay.message(b"C", 0) == []
    assert relay.typed(b"x") == []
    relay.gone(-9)
    assert relay.state == "boot"


def test_deep_sleep_wakes_by_the_timer_only(relay):
    relay.message(b"W9000", 1)
    relay.message(b"D1500", 2)
    relay.gone(-9)
    assert (relay.state, relay.deadline) == ("sleep", 3.5)
    assert relay.typed(b"x") == []
    assert relay.timer(3.4) == []
    assert started(relay.timer(3.5))["cause"] == DEEPSLEEP
    assert relay.deadline == NEVER
    relay.message(b"D0", 4)
    relay.gone(-9)
    assert (relay.state, relay.deadline) == ("sleep", NEVER)
    assert started(relay.reset())["cause"] == PWRON


def test_the_watchdog_is_fed_or_resets(relay):
    relay.message(b"F", 0)
    assert relay.deadline == NEVER
    relay.message(b"W2000", 1)
    relay.message(b"F", 2)
    assert relay.timer(3.9) == []
    assert relay.timer(4) == [End(kill=True)]
    assert started(relay.gone(-9))["cause"] == WDT


@pytest.mark.parametrize("cable", [False, True])
def test_a_power_cut_and_the_power_after_it(cable):
    relay = Relay(cable, lambda: "t")
    relay.power_on(2, EPOCH_NS)
    relay.message(b"w", 0)
    relay.message(b"r1000", 0)
    relay.message(b"r7", 0)
    relay.message(b"w", 0)
    assert relay.message(b"C", 0) == [End(kill=True)]
    assert relay.gone(-9) == [Unplug()] * cable
    assert (relay.state, relay.writes, relay.reads) == ("cut", 2, 1007)
    config = started(relay.power_on(None, EPOCH_NS + 1))
    assert (config["writes"], config["cut"], config["rtc_ns"]) == (0, None, -1)
    assert (relay.writes, relay.reads) == (0, 0)


def test_the_en_button_keeps_the_clock_and_the_counts(relay):
    relay.message(b"w", 0)
    relay.message(b"T5", 0)
    assert relay.reset() == [End(kill=True)]
    config = started(relay.gone(-9))
    assert (config["cause"], config["writes"], config["rtc_ns"]) == (PWRON, 1, 5)


def test_a_micropython_that_never_comes_to_its_programs_is_dead(relay):
    for _ in range(2):
        relay.printed(b"no such file")
        relay.closed()
        relay.gone(1)
        assert relay.state == "boot"
    relay.printed(b"no such file")
    relay.closed()
    assert not [action for action in relay.gone(1) if isinstance(action, Start)]
    assert relay.state == "dead"
    assert relay.error.startswith("MicroPython does not start: ")
    assert relay.error.endswith("no such file")


def test_sys_exit_in_main_is_told_until_the_next_start(relay):
    relay.message(b"S", 0)
    relay.printed(mark(relay, b"exit"))
    assert (relay.state, relay.main_status) == ("exit", "exit")
    relay.closed()
    relay.gone(0)
    at_prompt(relay)
    assert (relay.main_status, relay.first_end) == ("ok", "exit")


def test_an_older_ports_banner_is_shown_as_the_boards(relay):
    relay.message(b"S", 0)
    older = b"MicroPython 9; linux [GCC] version\nUse Ctrl-D to exit, Ctrl-E for paste mode\n>>> "
    text = shown(relay.printed(mark(relay, b"ok") + older))
    assert text.endswith(b'with ESP32\r\nType "help()" for more information.\r\n>>> ')
