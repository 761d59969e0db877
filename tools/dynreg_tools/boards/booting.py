"""Watching a board's start: what its lines say about registration and login."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from ..printable import loads
from . import answers, faults, onboard
from .errors import BoardError
from .lines import PROMPT, Lines
from .link import Link
from .resets import Resets

_REPORT = re.compile(r"dynreg: (\{.*\})")  # a line of its own: texts of others are in others
_LOG_ERROR = re.compile(
    r"\s*\d+\.\d{3} (?:ERROR|WARN ) (.*?)(?: \[([a-z_]{1,30}(?:\.[a-z_]{1,30})*)\])?"
    r"(?:; again in (\d{1,9}) s)?$"
)
_LATER_S = 900  # what the board puts off for so long is no good start
_LOGGED_IN = re.compile(r"\s*\d+\.\d{3} INFO  connect: CONNACK 0,")
_FINGERPRINT = re.compile(r"credential ([0-9a-f]{8}) (?:obtained|is stored)")
# What boot loader and MicroPython print by themselves.
_BANNERS = re.compile(
    r"ets |rst:|configsip|clk_drv|mode:|load:|ho |entry |MicroPython |Type \"help"
)
_STEPS = (
    (re.compile(r"wifi: joining"), "joining Wi-Fi", 0.7),
    (re.compile(r"register: \S+ asks"), "registering", 0.75),
    (re.compile(r"register: stored"), "logging in", 0.85),
    (re.compile(r"connect: mqtt"), "logging in", 0.9),
)


def watch(
    lines: Lines,
    timeout: float,
    stop: threading.Event,
    step: Callable[[str, float], None],
    heard: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """The board's report, with "last_error" (the last problem logged) and "fingerprint".

    Of a board that tries again in a quarter of an hour or more these two and "error" (the code).

    timeout: seconds until the report must have come. heard: gets every line. BoardError "timeout",
    "no_report" (the program ended without one, or runs without), "board.lost",
    "board.filesystem", "interrupted", those of resets.Resets (it restarts over and over).
    """
    deadline = time.monotonic() + timeout
    last_error = code = fingerprint = None
    logged_in = False
    before = ""
    resets = Resets()
    while time.monotonic() < deadline:
        if stop.is_set():
            raise BoardError("interrupted", f"{lines.port}: stopped by Ctrl-C: run it again")
        line = lines.read(0.2)
        if lines.lost:
            raise BoardError("board.lost", f"{lines.port}: the port is gone: is the cable in?")
        if line is None:
            continue
        heard(line)
        resets.line(line)
        if resets.looping:
            raise BoardError(resets.cause or "", f"{lines.port}: {resets.why}")
        _take_step(line, step)
        if found := _FINGERPRINT.search(line):
            fingerprint = found[1]
        logged_in = logged_in or bool(_LOGGED_IN.match(line))
        if found := _LOG_ERROR.match(line):
            last_error, code = found[1], found[2] or None
            if code and int(found[3] or 0) >= _LATER_S:
                return {"last_error": last_error, "fingerprint": fingerprint, "error": code}
        if line.startswith(faults.CORRUPTED):
            raise faults.damaged(lines.port)
        if found := _REPORT.fullmatch(line):
            report, fault = _report(found[1])
            if report is not None:
                return {"last_error": last_error, "fingerprint": fingerprint} | report
            last_error = f"what it prints as its report is none: {fault}"
        if line == PROMPT:
            why = last_error or before or "main.py ended without a word"
            raise BoardError(code or "no_report", f"{lines.port}: {why}")
        if line.strip() and not _BANNERS.match(line):
            before = line.strip()
    missing = "it has logged in, and its program prints no report" if logged_in else "no report"
    raise BoardError(
        code or ("no_report" if logged_in and not last_error else "timeout"),
        f"{lines.port}: {last_error or missing} (after {timeout:g} s)",
    )


def _take_step(line: str, step: Callable[[str, float], None]) -> None:
    for pattern, text, part in _STEPS:
        if pattern.search(line):
            step(text, part)


def explained(error: BoardError, port: str, stop: threading.Event) -> BoardError:
    """What is to be told of an error of watch(): of a board that is not in its Wi-Fi just that."""
    if error.code != "timeout" or joined(port, stop):
        return error
    text = str(error)
    if "Wi-Fi" not in text:
        text = f"{text}: not in its Wi-Fi: is it in reach, are name and password right?"
    return BoardError("network.wifi", text)


def joined(port: str, stop: threading.Event) -> bool:
    """Whether the board is in its Wi-Fi, or does not use it. True where it cannot be asked."""
    try:
        with Link(port, stop) as link:
            onboard.send(link, "network")
            return onboard.call(link, "joined")
    except BoardError:
        return True


def _report(text: str) -> tuple[dict[str, Any] | None, str | None]:
    """The report in a line, or None and why it is none."""
    try:
        value = loads(text)
    except ValueError:
        return None, "it is no JSON"
    fault = answers.wrong(value, answers.REPORT)
    if fault:
        return None, fault
    return {name: value[name] for name in answers.REPORT if name in value}, None
