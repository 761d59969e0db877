"""`dynreg watch`: what boards print, several at once, over resets and replugged cables."""

from __future__ import annotations

import argparse
import queue
import re
import threading
import time
from contextlib import suppress

from rich.console import Console as Rich
from rich.text import Text

from ..boards.lines import PROMPT, Lines
from ..boards.resets import Resets
from ..console import Console
from . import shared

DESCRIPTION = """\
Shows the serial log of boards. Nothing is sent to them. A board that restarts over and over is
told in a line of its own, with the reason (supply, watchdog, crash) and what to do."""
EXAMPLE = """\
examples:
  dynreg watch                       the one board that is connected, until Ctrl-C
  dynreg watch --all --seconds 30
  dynreg watch --port /dev/ttyUSB0 --json"""
_LEVEL = re.compile(r"\s*(\d+\.\d{3}) (DEBUG|INFO|WARN|ERROR) +(.*)")
_COLOURS = {"DEBUG": "dim", "INFO": "", "WARN": "yellow", "ERROR": "bold red"}
_PREFIXES = ("cyan", "magenta", "green", "blue")
_FOREVER = float("inf")
_WAIT_S = 0.2
_MOST = 10000  # lines that wait to be shown


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser)
    parser.add_argument("--seconds", type=float, default=_FOREVER, metavar="S", help="then end")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """0; Ctrl-C ends it."""
    console = Console(options.json)
    ports = shared.ports(options)
    lines: queue.Queue[tuple[str, str]] = queue.Queue(_MOST)
    stop = threading.Event()
    threads = [threading.Thread(target=_follow, args=(port, lines, stop)) for port in ports]
    for thread in threads:
        thread.start()
    rich = Rich(highlight=False)
    end = time.monotonic() + options.seconds
    try:
        while time.monotonic() < end:
            try:
                port, line = lines.get(timeout=min(0.2, max(0, end - time.monotonic())))
            except queue.Empty:
                continue
            console.result(parsed(port, line))
            if not options.json:
                rich.print(shown(port, line, ports), soft_wrap=True)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return 0


def _follow(port: str, lines: queue.Queue, stop: threading.Event) -> None:
    source, resets = Lines(port, back_s=_FOREVER), Resets()
    gone, told = False, None

    def put(text: str) -> None:
        while not stop.is_set():
            with suppress(queue.Full):  # the board is faster than the terminal
                lines.put((port, text), timeout=_WAIT_S)
                return

    while not stop.is_set():
        line = source.read(_WAIT_S)
        if source.gone != gone:
            gone = source.gone
            put("-- the port is gone, waiting for it" if gone else "-- here again")
        if line is None or line == PROMPT:
            continue
        put(line)
        resets.line(line)
        if resets.looping and resets.cause != told:
            told = resets.cause
            put(f"-- {told}: {resets.why}")
    source.close()


def parsed(port: str, line: str) -> dict:
    """The line for a program: port, and for a line of dynreg's log its seconds and level."""
    found = _LEVEL.match(line)
    if not found:
        return {"port": port, "text": line}
    return {
        "port": port,
        "seconds": float(found[1]),
        "level": found[2],
        "text": found[3],
    }


def shown(port: str, line: str, ports: list[str]) -> Text:
    """The line for a person: with its port when there are several, coloured by its level."""
    text = Text()
    if len(ports) > 1:
        text.append(f"{port}  ", _PREFIXES[ports.index(port) % len(_PREFIXES)])
    found = _LEVEL.match(line)
    return text.append(line, _COLOURS[found[2]] if found else "")
