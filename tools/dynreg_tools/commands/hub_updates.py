"""`dynreg hub update`, `updates`, `config`: programs and configurations for a hub's devices."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from ..bundles import pack
from ..console import Console
from ..errors import ToolError
from .hub_client import Client, client, device_path
from .hub_lines import clean
from .hub_messages import sub_command

_POLL_S = 0.5
_ENDED = ("done", "fail", "cancelled")
_COLUMNS = ("name", "reported", "version", "state", "percent", "code", "message")
_IMAGE = 0xE9  # the first byte of a firmware image
_UPDATE = """\
examples:
  dynreg hub update my_app-1.1.bundle esp32-246f286d5a9e
  dynreg hub update my_app-1.1.bundle --all --wait 120
  dynreg hub update firmware.bin --version 2.0 --all        for boards with OTA slots
  dynreg hub update --cancel esp32-246f286d5a9e

A bundle comes from 'dynreg bundle'; on the device: dynreg.services.ota (docs/ota.md). A device
that is not online takes it when it next says its version. With --wait the exit code is 1 unless
every device has done it within so many seconds."""
_UPDATES = """\
examples:
  dynreg hub updates
  dynreg hub updates --json

reported is the version that a device runs, version the one that it was last told to take."""
_CONFIG = """\
examples:
  dynreg hub config esp32-246f286d5a9e '{"period":60}'
  dynreg hub config esp32-246f286d5a9e - < config.json
  dynreg hub config esp32-246f286d5a9e             what it has
  dynreg hub config esp32-246f286d5a9e --remove

On the device: dynreg.services.config. One that is not online gets it when it next asks."""


def add_commands(commands: Any) -> None:
    """Their parsers."""
    one = sub_command(commands, "update", "have devices take a program", update, _UPDATE)
    one.add_argument(
        "words", metavar="FILE DEVICE", nargs="+", help="the bundle, and who takes it"
    )
    one.add_argument("--all", action="store_true", help="all devices of the product")
    one.add_argument("--version", metavar="TEXT", help="of a file that does not say it itself")
    one.add_argument("--plain", action="store_true", help="by http, for devices with no TLS here")
    one.add_argument("--wait", type=float, metavar="SECONDS", help="until it is done everywhere")
    one.add_argument("--cancel", action="store_true", help="offer it no more; names devices only")
    sub_command(commands, "updates", "how far the devices are", updates, _UPDATES)
    one = sub_command(commands, "config", "a device's remote configuration", config, _CONFIG)
    one.add_argument("device", metavar="DEVICE")
    one.add_argument(
        "text", metavar="JSON", nargs="?", help="an object to push; - for standard input"
    )
    one.add_argument("--remove", action="store_true", help="it has none any more")


def update(options: argparse.Namespace) -> int:
    """0, or 1 where --wait is given and a device has not done it."""
    hub, console = client(options), Console(options.json)
    if options.cancel:
        return _cancel(hub, console, options)
    data, version = _file(Path(options.words[0]), options.version)
    names = options.words[1:]
    if bool(names) == options.all:
        raise ToolError("name the devices that take it, or --all")
    if options.all:
        names = [row["name"] for row in hub.ask("GET", "/devices")["devices"]]
    uploaded = hub.ask("POST", "/updates/files", data=data)
    body = {"md5": uploaded["md5"], "version": version}
    body["scheme"] = "http" if options.plain else "https"
    heard = [
        name for name in names if hub.ask("PUT", device_path(name, "/update"), body)["receivers"]
    ]
    if not options.json:
        console.say(
            f"version {clean(version)}, {len(data)} bytes: {len(names)} devices, {len(heard)} of "
            "them hear of it now"
        )
    if options.wait is None:
        console.result(
            {"version": version, "md5": uploaded["md5"], "devices": names, "now": heard}
        )
        return 0
    rows = _wait(hub, names, version, options.wait)
    console.result(rows)
    console.table([_shown(row) for row in rows], _COLUMNS)
    return 0 if all(row["state"] == "done" for row in rows) else 1


def _file(path: Path, version: str | None) -> tuple[bytes, str]:
    """A bundle, or a firmware image, and its version."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: cannot be read: {error.strerror}") from error
    if data[:1] == bytes([_IMAGE]):
        if version is None:
            raise ToolError(f"{path}: is a firmware image: name its --version")
        pack.check_version(version)
        return data, version
    try:
        own = pack.read(data).version
    except pack.BundleError as error:
        raise ToolError(f"{path}: {error}: make one with 'dynreg bundle'") from None
    if version not in (None, own):
        raise ToolError(f"{path}: is version {own}, not {version}")
    return data, own


def _cancel(hub: Client, console: Console, options: argparse.Namespace) -> int:
    """0, or 1 where nothing was on offer."""
    answers = {
        name: hub.ask("DELETE", device_path(name, "/update"))["cancelled"]
        for name in options.words
    }
    console.result(answers)
    if not options.json:
        for name, cancelled in answers.items():
            console.say(f"{clean(name)}: {'cancelled' if cancelled else 'nothing was on offer'}")
    return 0 if all(answers.values()) else 1


def _wait(hub: Client, names: list[str], version: str, seconds: float) -> list[dict[str, Any]]:
    """The devices' rows once all have ended, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = {row["name"]: row for row in hub.ask("GET", "/updates")["updates"]}
        rows = [found[name] for name in names if name in found]
        if all(row["version"] == version and row["state"] in _ENDED for row in rows):
            return rows
        if time.monotonic() >= deadline:
            return rows
        time.sleep(_POLL_S)


def updates(options: argparse.Namespace) -> int:
    """0."""
    rows = client(options).ask("GET", "/updates")["updates"]
    console = Console(options.json)
    console.result(rows)
    console.table([_shown(row) for row in rows], _COLUMNS)
    return 0


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """What devices have sent as a terminal may have it."""
    return {key: clean(value) if isinstance(value, str) else value for key, value in row.items()}


def config(options: argparse.Namespace) -> int:
    """0, or 1 where there is none, or nobody hears of a new one now."""
    hub, console = client(options), Console(options.json)
    path = device_path(options.device, "/config")
    if options.remove:
        answer = hub.ask("DELETE", path)
        console.result(answer)
        if not options.json:
            console.say("removed" if answer["removed"] else "it had none")
        return 0 if answer["removed"] else 1
    if options.text is None:
        answer = hub.ask("GET", path)
        console.result(answer)
        if not options.json:
            found = answer["config"]
            console.say("none" if found is None else clean(json.dumps(found, ensure_ascii=False)))
        return 0 if answer["config"] is not None else 1
    text = sys.stdin.read() if options.text == "-" else options.text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ToolError(
            'the configuration is not JSON: write an object, as {"period":60}'
        ) from None
    answer = hub.ask("PUT", path, {"config": value})
    console.result(answer)
    if not options.json:
        console.say(
            "the device has it" if answer["receivers"] else "the device gets it when it asks"
        )
    return 0 if answer["receivers"] else 1
