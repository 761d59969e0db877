"""`dynreg doctor`: which link between board and cloud is broken."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import sources
from ..boards import apply, fleet, hostlinks, onboard
from ..boards import batch as batches
from ..boards.errors import BoardError
from ..boards.link import Link
from ..console import Console
from . import shared

COLUMNS = ("place", "to", "link", "state")
DESCRIPTION = """\
Tries each link of the way to the gateway and to the broker, from this computer and from each
board: Wi-Fi, DNS, TCP, TLS (with the trust that the board has), clock. A link behind a broken one
is not tried."""
EXAMPLE = """\
examples:
  dynreg doctor --port /dev/ttyUSB0
  dynreg doctor --host-only

Exit code: 0 only when every link is good."""
_CLOCK_S = 300  # a certificate's dates are judged by the clock; so far off is still no harm
_REMEDIES = {
    "dns": "the name is not known there: is the region right, does the network's DNS work?",
    "tcp": "nobody answers: does a firewall let {port} out, does the service run?",
    "tls": "it cannot prove who it is: is the CA file the right one, is the clock right?",
    "ntp": "no time server answers: let UDP 123 out; until then 'dynreg deploy' sets the clock",
    "clock": "set it",
}
Check = Callable[[], str | None]


def add_options(parser: argparse.ArgumentParser) -> None:
    shared.add_ports(parser)
    parser.add_argument(
        "--device-info", type=Path, default=Path("device_info.json"), metavar="FILE"
    )
    parser.add_argument("--host-only", action="store_true", help="only from this computer")
    parser.add_argument(
        "--timeout", type=float, default=10, metavar="S", help="seconds for a link (default 10)"
    )
    shared.add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a link")


def run(options: argparse.Namespace) -> int:
    """0 when every link is good, else 1."""
    console = Console(options.json)
    batch = batches.read(options.device_info)
    rows = Rows("this computer")
    from_host(batch, rows, options.timeout)
    found = rows.rows
    if not options.host_only:
        ports = shared.ports(options)
        boards: dict[str, list[dict[str, Any]]] = {}

        def work(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
            here = Rows(port)
            boards[port] = here.rows
            try:
                with Link(port, stop) as link:
                    from_board(link, batch, here, options.timeout)
            except BoardError as error:
                here.add("-", "cable", str(error).removeprefix(f"{port}: "))
            return {"outcome": "looked at"}

        fleet.run(ports, work, options.jobs, console.progress(ports, "looking"), lambda _row: None)
        for port in ports:
            found += boards[port]
    for row in found:
        console.result(row)
    console.table(found, COLUMNS)
    console.errors(found, "place", "to", "link")
    return 1 if any(row["state"] == "broken" for row in found) else 0


class Rows:
    """The links that were tried from one place."""

    def __init__(self, place: str) -> None:
        self.rows: list[dict[str, Any]] = []
        self._place = place

    def add(self, to: str, link: str, fault: str | None, port: int = 0) -> bool:
        """Takes down a link; whether it is good."""
        row = {"place": self._place, "to": to, "link": link, "state": "broken" if fault else "ok"}
        if fault:
            remedy = _REMEDIES.get(link, "").format(port=f"port {port}")
            row["message"] = fault
            row["what_to_do"] = remedy
        self.rows.append(row)
        return not fault

    def chain(self, to: str, port: int, links: dict[str, Check]) -> bool:
        """Tries links in their order, up to the first that is broken."""
        return all(self.add(to, name, check(), port) for name, check in links.items())


def ends(batch: batches.Batch) -> tuple[tuple[str, Any, tuple[str, ...]], ...]:
    """(name, Endpoint, names of the built-in roots) of gateway and broker."""
    tls = sources.library("connect.tls")
    return (
        ("gateway", batch.info.gateway, tls.GATEWAY),
        ("broker", batch.info.mqtt, tls.BROKER),
    )


def from_host(batch: batches.Batch, rows: Rows, seconds: float) -> None:
    for name, end, roots in ends(batch):
        ca = batch.path.parent / end.ca.lstrip("/") if end.ca else None
        context = hostlinks.context(ca, roots) if end.secure else None
        links: dict[str, Check] = {
            "dns": lambda end=end: hostlinks.dns(end.host, end.port)[1],
            "tcp": lambda end=end: hostlinks.tcp(end.host, end.port, seconds),
        }
        if context:
            links["tls"] = lambda end=end, c=context: hostlinks.tls(end.host, end.port, c, seconds)
        good = rows.chain(f"{name} {end.host}:{end.port}", end.port, links)
        if good and name == "gateway":
            ahead = hostlinks.clock(end.host, end.port, context, seconds)
            if ahead is not None:
                rows.add(name, "clock", _off(ahead, "this computer's clock"))


def from_board(link: Link, batch: batches.Batch, rows: Rows, seconds: float) -> None:
    board = apply.identify(link)
    if onboard.call(link, "library") is None:
        rows.add("-", "dynreg", "no library on the board: 'dynreg deploy' first")
        return
    onboard.send(link, "network")
    wifi = batch.info.wifi
    if wifi and not rows.add(
        wifi["ssid"],
        "wifi",
        onboard.call(
            link, "wifi", wifi["ssid"], wifi.get("password"), round(seconds * 1000), timeout=60
        ),
    ):
        return
    if not rows.add("-", "clock", _off(board["unix"] - time.time(), "the board's clock")):
        rows.add("-", "ntp", onboard.call(link, "ntp", timeout=30))
    for name, end, roots in ends(batch):
        place = (end.host, end.port)
        links: dict[str, Check] = {
            "dns": lambda place=place: onboard.call(link, "dns", *place, timeout=60)[1],
            "tcp": lambda place=place: onboard.call(link, "tcp", *place, seconds, timeout=60),
        }
        if end.secure:
            links["tls"] = lambda place=place, end=end, roots=roots: onboard.call(
                link, "tls", *place, seconds, end.ca, roots, timeout=60
            )
        rows.chain(f"{name} {end.host}:{end.port}", end.port, links)


def _off(seconds: float, whose: str) -> str | None:
    if abs(seconds) <= _CLOCK_S:
        return None
    way = "ahead" if seconds > 0 else "behind"
    return f"{whose} is {abs(round(seconds))} s {way}"
