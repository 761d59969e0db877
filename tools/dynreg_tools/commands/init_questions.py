"""The questions of `dynreg init`: each is asked again until its answer is good."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .. import sources
from ..boards.errors import BoardError
from ..printable import clean

_KEY_SIZES = range(8, 64)  # bytes of a WPA passphrase (IEEE 802.11, J.4.1)
_RAW_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_SSID_SIZE = 32  # bytes
REGIONS = tuple(
    line.split()[0] for line in sources.library("storage.device_file").REGIONS
)  # the default first


@dataclass(frozen=True)
class Question:
    """name: of the option, the environment variable and the answer. default: None for none.
    example: a good answer, that stands for this one while others are judged."""

    name: str
    text: str
    default: str | None
    example: str
    secret: bool = False

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")


QUESTIONS = (
    Question("product_id", "Product id", None, "ABCDEFGHIJ"),
    Question("product_secret", "Product secret (not shown)", None, "0123456789abcdef", True),
    Question("region", f"Region, one of {', '.join(REGIONS)}", REGIONS[0], REGIONS[0]),
    Question(
        "device_name", "Device name, {mac} is each board's own", "esp32-{mac}", "esp32-{mac}"
    ),
    Question("wifi_ssid", "Wi-Fi name (empty for none)", "", "wifi"),
    Question("wifi_password", "Wi-Fi password (not shown, empty for none)", "", "", True),
)
EXAMPLES = {question.name: question.example for question in QUESTIONS}
Judge = Callable[[str, str], str | None]  # name, answer: what is wrong with it, in words


def ask(question: Question, judge: Judge) -> str:
    """A person's answer, once it is good. BoardError at the end of the input."""
    shown = f"{question.text}{f' [{question.default}]' if question.default else ''}: "
    while True:
        try:
            given = (getpass.getpass if question.secret else input)(shown).strip()
        except EOFError:
            print(file=sys.stderr)
            raise BoardError(
                "argument", f"{question.text}: no answer; nothing was written: run it again"
            ) from None
        given = as_utf8(given) or question.default or ""
        fault = judge(question.name, given)
        if fault is None:
            return given
        print(f"  {clean(fault, None)}", file=sys.stderr, flush=True)


def as_utf8(text: str) -> str:
    """Text of a terminal, an option or a variable: where its encoding is not that which the
    locale says, UTF-8 is likeliest. What is no UTF-8 stays, for fault_of_text()."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        with suppress(UnicodeError):
            return os.fsencode(text).decode("utf-8")
        return text


def fault_of_text(name: str, text: str) -> str | None:
    """What no answer may hold, and what no Wi-Fi can be; no secret is in the words."""
    if any(0xD800 <= ord(char) < 0xE000 for char in text):
        return f"{name} holds bytes that are no text here: is the terminal's encoding UTF-8?"
    if not text.isprintable():
        return f"{name} holds a control character (an arrow key?): type it anew"
    size = len(text.encode())
    if name == "wifi_ssid" and size > _SSID_SIZE:
        return f"wifi.ssid has {size} bytes: a Wi-Fi's name has {_SSID_SIZE} at most"
    if (
        name == "wifi_password"
        and text
        and size not in _KEY_SIZES
        and not _RAW_KEY.fullmatch(text)
    ):
        return f"wifi.password has {size} bytes: a Wi-Fi's password has 8 to 63, or 64 hex digits"
    return None


def first_line(file: Path) -> str:
    """The first line of a file in UTF-8, or of standard input for "-". BoardError."""
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.readline()
        else:
            with file.open("rb") as opened:
                data = opened.readline()
        return data.decode("utf-8-sig").strip()
    except OSError as error:
        raise BoardError("argument", f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BoardError("argument", f"{file}: is not in UTF-8: save it as UTF-8") from None
