"""Which ports to work on: USB serial adapters of ESP32 boards, ports given, virtual boards."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from serial.tools import list_ports

from .errors import BoardError

# USB vendor ids of what sits on ESP32 boards.
VENDORS = {
    0x10C4: "CP210x",
    0x1A86: "CH34x",
    0x0403: "FTDI",
    0x303A: "Espressif USB",
}


def add_options(parser: argparse.ArgumentParser, several: bool = True) -> None:
    """--port, --all and --virtual, the same for every command."""
    group = parser.add_argument_group("which boards")
    group.add_argument(
        "--port",
        action="extend",
        nargs="+" if several else 1,
        default=[],
        metavar="PORT",
        help="/dev/ttyUSB0, COM3 or a virtual board's" + ("; several will do" * several),
    )
    if several:
        group.add_argument("--all", action="store_true", help="every board connected")
    group.add_argument(
        "--virtual",
        metavar="FOLDER",
        default=os.environ.get("DYNREG_VIRTUAL"),
        help="also the running virtual boards below FOLDER (or $DYNREG_VIRTUAL)",
    )


def connected(virtual: str | None = None) -> list[str]:
    """Ports of all ESP32 boards by their USB adapter, and of virtual boards below a folder."""
    found = [port.device for port in list_ports.comports() if port.vid in VENDORS]
    return sorted(found) + virtual_ports(virtual)


def virtual_ports(folder: str | None) -> list[str]:
    """The link `port` of each running virtual board below folder."""
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise BoardError("argument", f"{folder}: no such folder of virtual boards")
    links = {*Path(folder).glob("port"), *Path(folder).glob("*/port")}
    return [str(link) for link in sorted(links) if link.exists()]


def chosen(options: argparse.Namespace) -> list[str]:
    """The ports that the options ask for. BoardError where it is none, or not clear which."""
    if options.port:
        return list(dict.fromkeys(options.port))
    found = connected(options.virtual)
    if not found:
        raise BoardError(
            "argument",
            "no board is connected: plug one in (is its cable a data cable?), or name its --port",
        )
    if len(found) > 1 and not getattr(options, "all", False):
        several = ", or use --all" if hasattr(options, "all") else ""
        raise BoardError(
            "argument",
            f"{len(found)} boards are connected ({', '.join(found)}): name one with --port"
            + several,
        )
    return found
