"""MicroPython's output, made into what an ESP32 prints on its UART."""

import re

PWRON, HARD, WDT, DEEPSLEEP, SOFT = 1, 2, 3, 4, 5  # machine.reset_cause()
_RESET_LINES = {
    PWRON: "rst:0x1 (POWERON_RESET)",
    HARD: "rst:0xc (SW_CPU_RESET)",
    WDT: "rst:0x8 (TG1WDT_SYS_RESET)",
    DEEPSLEEP: "rst:0x5 (DEEPSLEEP_RESET)",
}
MACHINE = "VIRTUAL ESP32 board with ESP32"
RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_PROMPT = b'Type "help()" for more information.\r\n'
_OLDER_PORT = (
    b"Use Ctrl-D to exit, Ctrl-E for paste mode\n"  # up to 1.25 or so, which has no raw REPL
)


def reset_lines(cause: int) -> bytes:
    """What the ROM prints at a reset."""
    return f"ets Jul 29 2019 12:21:46\r\n\r\n{_RESET_LINES[cause]}\r\n".encode()


def panic(signal: int) -> bytes:
    return f"\r\nGuru Meditation Error: MicroPython died of signal {signal}\r\n".encode()


class Output:
    """Takes the firmware's marks out of the stream, gives print()'s newlines their CR, and puts
    the board's name into the banner. A mark is NUL, token, word, NUL."""

    def __init__(self, token: str) -> None:
        self._mark = b"\0" + token.encode()
        self._machine = b"; unknown\r\n"  # what the port calls itself in its banner
        self._held = bytearray()  # not yet let out
        self._binary = False
        self._last = b""

    def __bool__(self) -> bool:
        """There is output that waits for more."""
        return bool(self._held)

    def add(self, data: bytes) -> None:
        self._held += data

    def next_mark(self) -> tuple[bytes, str] | None:
        """The text before the next mark, and the mark's word; None without a whole mark."""
        at = self._held.find(self._mark)
        end = self._held.find(b"\0", at + 1) if at >= 0 else -1
        if end < 0:
            return None
        word = self._held[at + len(self._mark) : end].decode()
        text = self._finish(bytes(self._held[:at]))
        del self._held[: end + 1]
        if word in "+-":
            self._binary = word == "-"
        return text, word

    def name_machine(self, machine: str) -> None:
        self._machine = b"; " + machine.encode() + b"\r\n"

    def drop_through(self, text: bytes, keep: bytes = b"") -> bool:
        """Forgets all up to and with text, but for keep at its end; False when it is not there."""
        at = self._held.find(text)
        if at >= 0:
            del self._held[: at + len(text) - len(keep)]
        return at >= 0

    def at_prompt(self) -> bool:
        """The banner has come, and some of the prompt after it, which a program may choose."""
        older = self._machine.replace(b"\r", b"") + _OLDER_PORT
        self._held = self._held.replace(older, self._machine + FRIENDLY_PROMPT)
        at = self._held.find(FRIENDLY_PROMPT)
        return 0 <= at < len(self._held) - len(FRIENDLY_PROMPT)

    def take(self, flush: bool = False) -> bytes:
        """What can be let out: all but the beginning of a mark or a banner at the end."""
        keep = 0
        at = self._held.find(self._mark)
        if at >= 0:
            keep = len(self._held) - at
        elif not flush:
            keep = max(_overlap(self._held, self._mark), _overlap(self._held, self._machine))
        size = len(self._held) - keep
        data = bytes(self._held[:size])
        del self._held[:size]
        return self._finish(data)

    def _finish(self, data: bytes) -> bytes:
        if not data or self._binary:
            return data
        data = data.replace(self._machine, f"; {MACHINE}\r\n".encode())
        split = data[:1] == b"\n" and self._last == b"\r"  # a CR LF in two pieces
        self._last = data[-1:]
        data = re.sub(rb"(?<!\r)\n", b"\r\n", data)
        return data[1:] if split else data


class Prompt:
    """Which prompt the board is at or will come to: the one whose announcement it printed last."""

    def __init__(self) -> None:
        self.raw = False
        self._last = b""  # the end of what was printed, for an announcement in pieces

    @property
    def last_text(self) -> str:
        return self._last.decode("utf-8", "replace").strip()

    def printed(self, data: bytes) -> None:
        seen = self._last + data
        raw, friendly = seen.rfind(RAW_PROMPT), seen.rfind(FRIENDLY_PROMPT)
        if raw != friendly:
            self.raw = raw > friendly
        self._last = seen[-300:]


def _overlap(data: bytearray, mark: bytes) -> int:
    """How many bytes at the end of data may be the beginning of mark."""
    for size in range(min(len(mark) - 1, len(data)), 0, -1):
        if data.endswith(mark[:size]):
            return size
    return 0
