"""`dynreg hub call`, `broadcast`, `shadow`, `thing`, `action`: services, by a running hub."""

from __future__ import annotations

import argparse
import json
from typing import Any
from urllib.parse import quote

from ..console import Console
from ..errors import ToolError
from .hub_client import client, device_path
from .hub_lines import clean, payload
from .hub_messages import message_of, sub_command

_CALL = """\
examples:
  dynreg hub call esp32-246f286d5a9e '{"led":1}'
  dynreg hub call esp32-246f286d5a9e --hex 00ff --timeout 10

Prints the device's answer (RRPC; on the device: dynreg.services.rrpc). The exit code is 1 where
none comes in time, or the device does not listen for calls."""

_BROADCAST = """\
example:
  dynreg hub broadcast '{"update":"tonight"}'

The exit code is 1 where nobody gets it (on the device: dynreg.services.broadcast)."""
_SHADOW = """\
examples:
  dynreg hub shadow esp32-246f286d5a9e                  what it has reported, what is desired
  dynreg hub shadow esp32-246f286d5a9e '{"led":1}'      a key set to null goes away
  dynreg hub shadow esp32-246f286d5a9e null             nothing is desired any more

A change reaches the device at once, or when it asks (on the device: dynreg.services.shadow)."""

_THING = """\
examples:
  dynreg hub thing esp32-246f286d5a9e                        what it has reported
  dynreg hub thing esp32-246f286d5a9e '{"power_switch":1}'   set it, and wait for the reply

What a device does not do at once it finds when it asks (on the device: dynreg.services.thing). The
exit code is 1 where it has not done it yet."""
_ACTION = """\
example:
  dynreg hub action esp32-246f286d5a9e light_on '{"is_on":1}'

Prints the response. The exit code is 1 where the device has not done it."""


def add_commands(commands: Any) -> None:
    """Their parsers."""
    one = sub_command(commands, "call", "call a device and wait for its answer", call, _CALL)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument("text", metavar="TEXT", help="what the call holds; - for standard input")
    one.add_argument("--hex", action="store_true", help="TEXT is pairs of hex digits")
    _add_timeout(one)
    one = sub_command(
        commands, "broadcast", "send a message to all devices", broadcast, _BROADCAST
    )
    one.add_argument("text", metavar="TEXT", help="what it holds; - for standard input")
    one.add_argument("--hex", action="store_true", help="TEXT is pairs of hex digits")
    one = sub_command(commands, "shadow", "a device's shadow: reported, desired", shadow, _SHADOW)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument(
        "desired", metavar="JSON", nargs="?", help="change what is desired: an object; null: clear"
    )
    one.add_argument(
        "--version", type=int, metavar="N", help="only if this is the shadow's version"
    )
    one = sub_command(commands, "thing", "a device's properties, and set them", thing, _THING)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument("params", metavar="JSON", nargs="?", help="set these: an object")
    _add_timeout(one)
    one = sub_command(commands, "action", "have a device do something", action, _ACTION)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument("action", metavar="ACTION", help="its id in the data template")
    one.add_argument("params", metavar="JSON", nargs="?", default="{}", help="its input")
    _add_timeout(one)


def _add_timeout(one: argparse.ArgumentParser) -> None:
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


def broadcast(options: argparse.Namespace) -> int:
    """0, or 1 where nobody has received it."""
    answer = client(options).ask("POST", "/broadcast", message_of(options))
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        count = answer["receivers"]
        console.say(f"{count} receiver{'s' * (count != 1)}" if count else "nobody gets it")
    return 0 if answer["receivers"] else 1


def shadow(options: argparse.Namespace) -> int:
    """0."""
    path = device_path(options.device, "/shadow")
    if options.desired is None:
        if options.version is not None:
            raise ToolError("--version is for a change: give the JSON that is desired, too")
        answer = client(options).ask("GET", path)
    else:
        body: dict[str, Any] = {"desired": json_of(options.desired)}
        if options.version is not None:
            body["version"] = options.version
        answer = client(options).ask("PUT", path, body)
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        _show(answer, "version", "reported", "desired", "delta")
    return 0


def thing(options: argparse.Namespace) -> int:
    """0; of a change 1 where the device has not done it."""
    path = device_path(options.device, "/thing")
    if options.params is not None:
        body = {"params": json_of(options.params), "timeout": options.timeout}
        return _done(options, client(options).ask("PUT", path, body))
    answer = client(options).ask("GET", path)
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        _show(answer, "reported", "control", "info")
    return 0


def action(options: argparse.Namespace) -> int:
    """0, or 1 where the device has not done it."""
    body = {"params": json_of(options.params), "timeout": options.timeout}
    path = device_path(options.device, f"/actions/{quote(options.action, safe='')}")
    return _done(options, client(options).ask("POST", path, body))


def _done(options: argparse.Namespace, answer: dict[str, Any]) -> int:
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        if answer["code"] == 0:
            response = answer["response"]
            said = "" if response is None else f": {json.dumps(response, ensure_ascii=False)}"
            console.say(clean(f"done{said}"))
        elif answer["code"] is not None:
            console.say(clean(f"refused: {answer['code']} {answer['status']}".rstrip()))
        else:
            console.say(_missing(answer, options.timeout))
    return 0 if answer["code"] == 0 else 1


def _show(answer: dict[str, Any], *names: str) -> None:
    """One line each, which the terminal may break and a person can copy whole."""
    for name in names:
        print(f"{name:10}{clean(json.dumps(answer[name], ensure_ascii=False))}")


def json_of(text: str) -> Any:
    """What TEXT says as JSON; ToolError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ToolError(f"{text[:40]!r} is not JSON: is it quoted for the shell?") from None


def _words(answer: dict[str, Any], seconds: int) -> str:
    if answer["payload"]:
        return f"{payload(answer['payload'])}  ({answer['ms']} ms)"
    return _missing(answer, seconds)


def _missing(answer: dict[str, Any], seconds: int) -> str:
    if answer["receivers"]:
        return f"no answer within {seconds} s"
    return "the device is not online, or does not listen for this"
