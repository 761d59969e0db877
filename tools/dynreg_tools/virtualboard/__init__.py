"""A virtual board: real MicroPython on a real flash image behind a pty.

    from . import Board

    board = Board.new("build/bench-1", wifi={"lab": "secret"})
    with board.power_on() as running:
        running.wait_repl()
        print(running.port)          # mpremote connect /dev/pts/N

The behaviour of an ESP32 that the unix port lacks is put back by the modules in firmware/:

| behaviour | where |
|---|---|
| epoch 2000, 8-tuples, the clock unset after power-on | esp_time.py, _calendar.py |
| RTC kept over resets, lost with power; reset causes, watchdog, id from the MAC | esp_machine.py |
| setblocking(True) drops the timeout; tuple addresses; nothing before Wi-Fi | esp_socket.py |
| names found as lwIP finds them, four questions in 7 s | esp_dns.py |
| errno numbers of newlib, for the compiler and OSError's text too | esp_errno.py, _memory.py |
| sys.platform and what else sys says | esp_sys.py |
| no way to the host's files; a file's time by the board's clock | esp_vfs.py, esp_os.py |
| certificate dates judged by the RTC | esp_tls.py |
| joining takes time, failing never ends, a second connect() raises | esp_network.py |
| NVS: two types, names up to 15, commit() | esp_esp32.py |
| OTA slots and a bootloader that rolls back, where the board has them | _partition.py, _slots.py |
| modules found in the order of py/builtinimport.c, shown as built in | _hooks.py |
| ntptime, umqtt.simple, urequests frozen | _hooks.py, ntptime.py |
| boot.py, main.py, soft and hard reset, raw REPL | _boot.py, relay.py, loop.py |
| a UART: CR LF, nothing kept for a late listener, Ctrl-C | output.py, serialport.py, process.py |
| littlefs2 or FAT on 4096-byte blocks; power lost at the Nth write | flashdev.py |
"""

from .board import Board
from .errors import BoardError
from .running import Running

__all__ = ["Board", "BoardError", "Running"]
