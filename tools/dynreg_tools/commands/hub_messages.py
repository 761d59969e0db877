"""`dynreg hub send` and `watch`: messages to devices, and the events of a running hub."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ..console import Console
from ..errors import ToolError
from ..hub.events import EVENTS
from ..printable import clean
from .hub_client import Client, add_options, client, device_path
from .hub_lines import Lines

_CTRL_C = 130
_SILENCE_S = 40.0  # more than twice the time between the hub's comments
_SEND = """\
examples:
  dynreg hub send esp32-246f286d5a9e control '{"led":1}'
  dynreg hub send esp32-246f286d5a9e control --hex 00ff --qos 1
  dynreg hub send esp32-246f286d5a9e control - < message.bin
  dynreg hub send lamp-1 '$broadcast/rxd/{product}/{device}' hello

A TOPIC without / and $ is the device's own: {product}/{device}/TOPIC. The exit code is 1 where
nobody gets the message (a session that is kept for a device gets it later)."""
_WATCH = """\
examples:
  dynreg hub watch                                    until Ctrl-C
  dynreg hub watch --device lamp-1 --event publish --event delivered
  dynreg hub watch --all --stop-after 1 --json        what is kept, as JSON lines"""


def add_commands(commands: Any) -> None:
    """Their parsers."""
    one = sub_command(commands, "send", "send a message to a device", send, _SEND)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument("topic", metavar="TOPIC", help="control, or a whole topic")
    one.add_argument("text", metavar="TEXT", help="what the message holds; - for standard input")
    one.add_argument("--hex", action="store_true", help="TEXT is pairs of hex digits")
    one.add_argument("--qos", type=int, choices=(0, 1), default=0)
    one = sub_command(commands, "watch", "the events of the running hub", watch, _WATCH)
    one.add_argument("--device", metavar="DEVICE", help="of this device only")
    one.add_argument(
        "--event",
        action="append",
        choices=sorted(EVENTS),
        metavar="NAME",
        help="of this kind only (`dynreg hub --help` lists them); may be repeated",
    )
    one.add_argument("--all", action="store_true", help="first the last 1000 that were")
    one.add_argument("--stop-after", type=float, metavar="SECONDS", help="end after this time")


def sub_command(commands: Any, name: str, text: str, run: Any, example: str) -> Any:
    """The parser of one that asks the running hub."""
    one = commands.add_parser(
        name,
        help=text,
        description=f"Asks the running hub: {text}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(one)
    one.set_defaults(ask=run, parser=one)
    return one


def send(options: argparse.Namespace) -> int:
    """0, or 1 where nobody has received it."""
    body = {"topic": options.topic, "qos": options.qos, **message_of(options)}
    answer = client(options).ask("POST", device_path(options.device, "/messages"), body)
    console = Console(options.json)
    console.result(answer)
    count = answer["receivers"]
    if not options.json:
        who = f"{count} receiver{'s' * (count != 1)}" if count else "nobody gets it"
        console.say(f"{clean(answer['topic'])}: {who}")
    return 0 if count else 1


def message_of(options: argparse.Namespace) -> dict[str, str]:
    """What TEXT and --hex mean, as the HTTP interface takes it."""
    data = sys.stdin.buffer.read() if options.text == "-" else options.text.encode()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        if options.hex:
            raise ToolError("standard input is not pairs of hex digits") from None
        return {"payload_hex": data.hex()}
    return {"payload_hex": text.strip()} if options.hex else {"payload": text}


def watch(options: argparse.Namespace) -> int:
    """0 at --stop-after, 130 at Ctrl-C; ToolError where the hub ends."""
    with suppress(KeyboardInterrupt):
        return _print_events(options)
    return _CTRL_C


def _print_events(options: argparse.Namespace) -> int:
    hub = client(options)
    product_id = hub.ask("GET", "/product")["product_id"]
    wanted = None if options.device is None else product_id + options.device
    lines = None if options.json or not sys.stdout.isatty() else Lines(product_id)
    deadline = None if options.stop_after is None else time.monotonic() + options.stop_after
    for event in _events(hub, "/events?after=0" if options.all else "/events", deadline):
        if options.event and event["event"] not in options.event:
            continue
        if wanted is None or wanted in (event.get("client_id"), _client_id(event)):
            print(lines.event(event) if lines else json.dumps(event), flush=True)
    return 0


def _client_id(event: dict[str, Any]) -> str:
    return f"{event.get('product_id', '')}{event.get('device_name', '')}"


def _events(hub: Client, path: str, deadline: float | None) -> Iterator[dict[str, Any]]:
    """The events of the stream, until the deadline."""
    connection, response = hub.open("GET", path)
    try:
        if response.status != http.client.OK:
            raise ToolError(f"the hub says {response.status}")
        while True:
            left = _SILENCE_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return
            connection.sock.settimeout(min(left, _SILENCE_S))
            line = response.readline()
            if not line:
                raise ToolError("the hub has ended")
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))
    except TimeoutError:
        if deadline is None or time.monotonic() < deadline:
            raise ToolError(f"the hub at {hub.url} has said nothing for long") from None
    except (OSError, http.client.HTTPException):
        raise ToolError("the hub has ended") from None
    finally:
        connection.close()
