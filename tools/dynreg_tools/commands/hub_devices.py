"""`dynreg hub devices`, `kick`, `disable`, `enable`, `delete`, `precreate`, `product`."""

from __future__ import annotations

import argparse
from typing import Any

from ..console import Console
from ..hub.choices import REGISTER_TYPES, register_type
from ..printable import clean
from .hub_client import add_options, client, device_path

_COLUMNS = ("name", "registered", "activated", "online", "tls", "last_seen", "disabled")


def add_commands(commands: Any) -> None:
    """Their parsers."""
    _command(commands, "devices", devices, "the product's devices", "")
    one = _command(commands, "kick", kick, "end a device's session", "esp32-246f286d5a9e")
    one.add_argument("device", metavar="DEVICE")
    for name, text in (
        ("disable", "refuse a device's logins and registrations"),
        ("enable", "take that back"),
    ):
        one = _command(commands, name, switch, text, "esp32-246f286d5a9e")
        one.add_argument("device", metavar="DEVICE")
        one.set_defaults(disabled=name == "disable")
    one = _command(commands, "delete", delete, "forget a device", "esp32-246f286d5a9e")
    one.add_argument("device", metavar="DEVICE")
    one = _command(commands, "precreate", precreate, "create devices beforehand", "lamp-1 lamp-2")
    one.add_argument("names", metavar="NAME", nargs="+")
    one = _command(
        commands, "product", product, "the product's switches", "--register-type pre-created"
    )
    one.add_argument(
        "--register-type",
        type=register_type,
        metavar="TYPE",
        help=f"who may register: {', '.join(REGISTER_TYPES)} (0, 1, 2)",
    )
    one.add_argument(
        "--register-limit", type=int, metavar="N", help="most devices that it may create"
    )


def _command(commands: Any, name: str, run: Any, text: str, example: str) -> Any:
    one = commands.add_parser(
        name,
        help=text,
        description=f"Asks the running hub: {text}.",
        epilog=f"example:\n  dynreg hub {name} {example}".rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(one)
    one.set_defaults(ask=run, parser=one)
    return one


def devices(options: argparse.Namespace) -> int:
    """0."""
    answer = client(options).ask("GET", "/devices")
    console = Console(options.json)
    console.result(answer["devices"])
    console.table([_shown(row) for row in answer["devices"]], _COLUMNS)
    return 0


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Names as a terminal may have them, the time without its date's T and fractions."""
    seen = row["last_seen"]
    return {**row, "name": clean(row["name"]), "last_seen": seen and f"{seen[:19]}Z"}


def kick(options: argparse.Namespace) -> int:
    """0, or 1 where the device has no session."""
    answer = client(options).ask("POST", device_path(options.device, "/kick"))
    _say(options, answer, "session ended" if answer["kicked"] else "has no session")
    return 0 if answer["kicked"] else 1


def switch(options: argparse.Namespace) -> int:
    """0."""
    body = {"disabled": options.disabled}
    answer = client(options).ask("PUT", device_path(options.device), body)
    _say(options, answer, "disabled" if answer["disabled"] else "enabled")
    return 0


def delete(options: argparse.Namespace) -> int:
    """0."""
    answer = client(options).ask("DELETE", device_path(options.device))
    _say(options, answer, "deleted; it may register again")
    return 0


def precreate(options: argparse.Namespace) -> int:
    """0; devices that are there already stay as they are."""
    answer = client(options).ask("POST", "/devices", {"names": options.names})
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        for text in ("created", "existing"):
            if answer[text]:
                console.say(f"{text}: {' '.join(answer[text])}")
    return 0


def product(options: argparse.Namespace) -> int:
    """0."""
    changes: dict[str, int] = {}
    if options.register_type is not None:
        changes["register_type"] = options.register_type
    if options.register_limit is not None:
        changes["register_limit"] = options.register_limit
    hub = client(options)
    answer = hub.ask("PUT", "/product", changes) if changes else hub.ask("GET", "/product")
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        kind = REGISTER_TYPES[answer["register_type"]]
        console.say(f"product {answer['product_id']}, auth mode {answer['auth_mode']}")
        console.say(f"registration: {kind}, at most {answer['register_limit']} devices")
    return 0


def _say(options: argparse.Namespace, answer: dict[str, Any], text: str) -> None:
    console = Console(options.json)
    console.result(answer)
    if not options.json:
        console.say(f"{clean(options.device)}: {text}")
