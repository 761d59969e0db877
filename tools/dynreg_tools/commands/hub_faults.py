"""`dynreg hub faults`: what goes wrong on purpose at a running hub."""

from __future__ import annotations

import argparse
import re
from typing import Any
from urllib.parse import quote, urlencode

from ..console import Console
from ..errors import ToolError
from .hub_client import add_options, client

_EXAMPLE = """\
examples:
  dynreg hub faults                         those that are on
  dynreg hub faults --known                 the catalogue
  dynreg hub faults on tls-expired@broker 'http-page:503*2'
  dynreg hub faults off tls-expired         or all: dynreg hub faults off"""
_SPEC = re.compile(r"([^@:*]+)(?:@([^:*]*))?(?::([^*]*))?(?:\*(.*))?", re.DOTALL)
_COLUMNS = ("name", "argument", "service", "left")
_KNOWN = ("name", "argument", "default", "services", "text")


def add_commands(commands: Any) -> None:
    """Its parser."""
    text = "what goes wrong on purpose: list, switch on, switch off"
    one = commands.add_parser(
        "faults",
        help=text,
        description=f"Asks the running hub: {text} (docs/faults.md).",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(one)
    one.add_argument("--known", action="store_true", help="all that there are")
    one.add_argument("what", nargs="?", choices=("on", "off"), metavar="on|off")
    one.add_argument("specs", nargs="*", metavar="FAULT", help="NAME[@SERVICE][:ARG][*TIMES]")
    one.set_defaults(ask=faults, parser=one)


def faults(options: argparse.Namespace) -> int:
    """0, or 1 where none was switched off."""
    hub = client(options)
    console = Console(options.json)
    if options.what == "on":
        if not options.specs:
            raise ToolError("name the fault: dynreg hub faults on NAME[@SERVICE][:ARG][*TIMES]")
        rows = [hub.ask("PUT", _path(spec))["on"] for spec in options.specs]
        console.result(rows)
        console.table(rows, _COLUMNS)
        return 0
    if options.what == "off":
        paths = [f"/faults/{quote(name, safe='')}" for name in options.specs] or ["/faults"]
        count = sum(hub.ask("DELETE", path)["off"] for path in paths)
        console.result({"off": count})
        if not options.json:
            console.say(f"{count} switched off")
        return 0 if count else 1
    answer = hub.ask("GET", "/faults")
    rows = answer["known" if options.known else "active"]
    console.result(rows)
    if rows:
        console.table([_row(row) for row in rows], _KNOWN if options.known else _COLUMNS)
    elif not options.json:
        console.say("no fault is on")
    return 0


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: " ".join(value) or None if isinstance(value, list) else value
        for key, value in row.items()
    }


def _path(spec: str) -> str:
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise ToolError(f"{spec!r} is no fault; write it as NAME[@SERVICE][:ARG][*TIMES]")
    name, service, argument, times = found.groups()
    given = {"service": service, "arg": argument, "times": times}
    query = urlencode({key: value for key, value in given.items() if value is not None})
    return f"/faults/{quote(name, safe='')}?{query}"
