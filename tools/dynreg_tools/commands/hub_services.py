"""`dynreg hub call`: the cloud's services, asked of a running hub."""

from __future__ import annotations

import argparse
from typing import Any

from ..console import Console
from .hub_client import client, device_path
from .hub_lines import payload
from .hub_messages import message_of, sub_command

_CALL = """\
examples:
  dynreg hub call esp32-246f286d5a9e '{"led":1}'
  dynreg hub call esp32-246f286d5a9e --hex 00ff --timeout 10

Prints the device's answer (RRPC; on the device: dynreg.services.rrpc). The exit code is 1 where
none comes in time, or the device does not listen for calls."""


def add_commands(commands: Any) -> None:
    """Their parsers."""
    one = sub_command(commands, "call", "call a device and wait for its answer", call, _CALL)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument("text", metavar="TEXT", help="what the call holds; - for standard input")
    one.add_argument("--hex", action="store_true", help="TEXT is pairs of hex digits")
    one.add_argument(
        "--timeout",
        type=int,
        default=5,
        metavar="SECONDS",
        help="how long to wait, 1 to 10 (default 5; the cloud's own is 4 to 10)",
    )


def call(options: argparse.Namespace) -> int:
    """0, or 1 without an answer."""
    body = {"timeout": options.timeout, **message_of(options)}
    answer = client(options).ask("POST", device_path(options.device, "/calls"), body)
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        console.say(_words(answer, options.timeout))
    return 0 if answer["payload"] else 1


def _words(answer: dict[str, Any], seconds: int) -> str:
    if answer["payload"]:
        return f"{payload(answer['payload'])}  ({answer['ms']} ms)"
    if answer["receivers"]:
        return f"no answer within {seconds} s"
    return "the device is not online, or does not listen for calls"
