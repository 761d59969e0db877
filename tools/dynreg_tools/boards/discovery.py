"""Which ports to work on: USB serial adapters of ESP32 boards, ports given, virtual boards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serial.tools import list_ports

from .errors import BoardError

# USB vendor ids of what sits on ESP32 boards: adapters, the chip itself, and boards whose makers
# gave them their own (of MicroPython's, TinyUF2's and usb.ids's definitions).
VENDORS = {
    0x10C4: "Silicon Labs CP210x",
    0x1A86: "WCH CH34x, CH910x",
    0x0403: "FTDI",
    0x067B: "Prolific PL2303",
    0x303A: "Espressif, the chip's own USB",
    0x2341: "Arduino Nano ESP32",
    0x239A: "Adafruit Feather, QT Py, Metro",
    0x2886: "Seeed XIAO",
    0x3343: "DFRobot FireBeetle 2",
    0xF055: "MicroPython's own, for boards without one",
}


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


def chosen(named: Sequence[str], virtual: str | None, every: bool | None) -> list[str]:
    """The ports that were asked for. BoardError where it is none, or not clear which.

    every: all that are connected; None where only one can be taken.
    """
    if named:
        return list(dict.fromkeys(named))
    found = connected(virtual)
    if not found:
        raise BoardError(
            "argument",
            "no board is connected: plug one in (is its cable a data cable?), or name its --port",
        )
    if len(found) > 1 and not every:
        several = "" if every is None else ", or use --all"
        raise BoardError(
            "argument",
            f"{len(found)} boards are connected ({', '.join(found)}): name one with --port"
            + several,
        )
    return found
