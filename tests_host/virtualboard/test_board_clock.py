"""The clock and the resets of an ESP32."""

import time


def test_epoch_and_clock_after_power_on(run_main):
    text = run_main(
        "import time, machine\n"
        "print(time.gmtime(0), time.localtime()[:5], len(time.localtime()))\n"
        "print(0 <= time.time() <= 3, time.time_ns() // 10**9 - time.time() in (0, 1))\n"
        "print(time.mktime((2024, 2, 29, 12, 0, 0, 0, 0)), time.mktime(time.gmtime(7)))\n"
        "print(machine.RTC().datetime()[:6])\n"
    )
    assert text.splitlines() == [
        "(2000, 1, 1, 0, 0, 0, 5, 1) (2000, 1, 1, 0, 0) 8",
        "True True",
        "762523200 7",
        "(2000, 1, 1, 5, 0, 0)",
    ]


def test_clock_runs_and_is_set(run_main):
    text = run_main(
        "import time, machine\n"
        "machine.RTC().datetime((2026, 11, 24, 0, 10, 20, 30, 0))\n"
        "print(time.localtime()); a = time.time_ns(); time.sleep_ms(60)\n"
        "print(50 < (time.time_ns() - a) // 10**6 < 4000)\n"
        "import utime; print(utime is time)\n"
    )
    assert text.splitlines() == ["(2026, 11, 24, 10, 20, 30, 1, 328)", "True", "True"]


def test_clock_outlives_resets_but_not_power(board):
    board.write_file(
        "/main.py", "import time, machine\nprint('Y', time.gmtime()[0], machine.reset_cause())\n"
    )
    with board.power_on() as running:
        running.wait_for("Y 2000 1")
        running.wait_repl()
        running.write("machine.RTC().datetime((2030, 5, 6, 0, 7, 8, 9, 0))\r")
        running.wait_for(">>> ")
        running.write("\x04")
        running.wait_for("MPY: soft reboot\r\nY 2030 5")
        running.wait_repl()
        running.write("machine.reset()\r")
        running.wait_for("SW_CPU_RESET")
        running.wait_for("Y 2030 2")
        running.reset()
        running.wait_for("Y 2030 1")
        running.power_cycle()
        running.wait_for("Y 2000 1")


def test_watchdog(board):
    board.write_file(
        "/main.py",
        "import machine, time\n"
        "print('cause', machine.reset_cause())\n"
        "if machine.reset_cause() == machine.PWRON_RESET:\n"
        "    wdt = machine.WDT(timeout=1000)\n"
        "    for n in range(6):\n"
        "        time.sleep_ms(250); wdt.feed()\n"
        "    print('fed')\n"
        "    time.sleep(9)\n"
        "    print('never')\n",
    )
    with board.power_on() as running:
        running.wait_for("fed")
        start = time.monotonic()
        running.wait_for("cause 3")
        assert 0.8 < time.monotonic() - start < 8
        running.wait_repl()
        time.sleep(0.5)
        assert running.output.count("cause") == 2  # a reset stops the watchdog
        assert "never" not in running.output


def test_watchdog_survives_a_soft_reset(board):
    with board.power_on() as running:
        running.wait_repl()
        running.write("import machine; w = machine.WDT(timeout=400)\r\x04")
        running.wait_for("soft reboot")
        running.wait_for("TG1WDT_SYS_RESET", 3)


def test_identity_and_pins(run_main, board):
    text = run_main(
        "import machine, sys, os\n"
        "print(machine.unique_id(), machine.freq(), sys.platform, os.uname().machine)\n"
        "p = machine.Pin(2, machine.Pin.OUT); p.on(); print(p.value()); p(0); print(p())\n"
        "import network; print(network.WLAN(network.STA_IF).config('mac'))\n"
    )
    assert text.splitlines() == [
        "b'$o(\\x01\\x02\\x03' 160000000 esp32 VIRTUAL ESP32 board with ESP32",
        "1",
        "0",
        "b'$o(\\x01\\x02\\x03'",
    ]
    assert board.unique_id == bytes.fromhex("246f28010203")
