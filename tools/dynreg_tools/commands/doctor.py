"""`dynreg doctor`: which link between board and cloud is broken."""

from __future__ import annotations

import argparse
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import sources
from ..boards import answers, apply, fleet, hostlinks, onboard, remedies
from ..boards import batch as batches
from ..boards.link import Link, over_resets
from ..console import Console
from . import shared

LINKS = (
    *("board", "dynreg", "wifi", "clock", "ntp"),
    *("gateway dns", "gateway tcp", "gateway tls", "broker dns", "broker tcp", "broker tls"),
)
_HERE = "this computer"
DESCRIPTION = """\
Tries each link of the way to the gateway and to the broker, from this computer and from each
board: Wi-Fi, DNS, TCP, TLS (with the trust that the board has), clock. A link behind a broken one
is not tried ("-"). NTP is tried where the clock is wrong."""
EXAMPLE = """\
examples:
  dynreg doctor --port /dev/ttyUSB0
  dynreg doctor --host-only

Exit code: 0 only when every link is good."""
_CLOCK_S = 300  # a certificate's dates are judged by the clock; so far off is still no harm
_CODES = {
    "dynreg": "no_library",
    "wifi": "network.wifi",
    "clock": "clock",
    "ntp": "network.clock",
    "dns": "network.dns",
    "tcp": "network.connect",
    "tls": "certificate",
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
    places = {_HERE: Rows(_HERE)}
    from_host(batch, places[_HERE], options.timeout)
    ports = [] if options.host_only else shared.ports(options)
    places |= {port: Rows(port) for port in ports}

    def work(port: str, stop: threading.Event, _step: fleet.Step) -> fleet.Row:
        def look(link: Link) -> None:
            places[port].rows.clear()
            from_board(link, batch, places[port], options.timeout)

        over_resets(port, stop, look)
        return {}

    def each(row: fleet.Row) -> None:
        if "error" in row:
            places[row["port"]].add("-", "board", row["message"], row["error"])

    if ports:
        fleet.run(ports, work, options.jobs, console.progress(ports, "looking"), each)
    found = [row for rows in places.values() for row in rows.rows]
    for row in found:
        console.result(row)
    broken = [row for row in found if row["state"] == "broken"]
    console.say(", ".join(f"{name} {end.host}:{end.port}" for name, end, _ in ends(batch)))
    show(list(places.values()), broken, console)
    return 1 if broken else 0


def show(places: list[Rows], broken: list[fleet.Row], console: Console) -> None:
    """For a person: places by links, what is broken and what to do, a summary."""
    tried = {name for rows in places for name in rows.states}
    links = [name for name in LINKS if name in tried]
    console.table(
        [{"place": rows.place} | rows.states for rows in places],
        ["place", *links],
        spare=[
            name for name in links if all(rows.states.get(name) != "broken" for rows in places)
        ],
    )
    console.errors(broken, "place", "to", "link")
    console.actions(broken)
    counts = Counter(name for rows in places for name in rows.states if rows.broken(name))
    what = "".join(f", {name} broken ({count})" for name, count in counts.items())
    good = sum(not any(map(rows.broken, rows.states)) for rows in places)
    console.say(f"{good} of {len(places)} places good{what}")


class Rows:
    """The links that were tried from one place. states: each link of LINKS -> "ok", "broken"."""

    def __init__(self, place: str) -> None:
        self.rows: list[dict[str, Any]] = []
        self.states: dict[str, str] = {}
        self.place = place

    def add(self, to: str, link: str, fault: str | None, code: str | None = None) -> bool:
        """Takes down a link; whether it is good. code: of its error, where it is not its usual."""
        state = "broken" if fault else "ok"
        row = {"place": self.place, "to": to, "link": link, "state": state}
        if fault:
            error = code or _CODES[link]
            row |= {"error": error, "message": fault}
            row["what_to_do"] = remedies.what_to_do(error)
        self.rows.append(row)
        end = to.split()[0]
        self.states[f"{end} {link}" if f"{end} {link}" in LINKS else link] = state
        return not fault

    def broken(self, name: str) -> bool:
        return self.states[name] == "broken"

    def chain(self, to: str, links: dict[str, Check]) -> bool:
        """Tries links in their order, up to the first that is broken."""
        return all(self.add(to, name, check()) for name, check in links.items())


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
        good = rows.chain(f"{name} {end.host}:{end.port}", links)
        if good and name == "gateway":
            ahead = hostlinks.clock(end.host, end.port, context, seconds)
            if ahead is not None:
                rows.add(name, "clock", _off(ahead, "this computer's clock"))


def from_board(link: Link, batch: batches.Batch, rows: Rows, seconds: float) -> None:
    board = apply.identify(link)
    if _asked(link, "library") is None:
        rows.add("-", "dynreg", "no library on the board")
        return
    onboard.send(link, "network")
    wifi = batch.info.wifi
    if wifi and not rows.add(
        wifi["ssid"],
        "wifi",
        _asked(link, "wifi", wifi["ssid"], wifi.get("password"), round(seconds * 1000)),
    ):
        return
    if not rows.add("-", "clock", _off(board["unix"] - time.time(), "the board's clock")):
        rows.add("-", "ntp", _asked(link, "ntp"))
    for name, end, roots in ends(batch):
        place = (end.host, end.port)
        links: dict[str, Check] = {
            "dns": lambda place=place: _asked(link, "dns", *place),
            "tcp": lambda place=place: _asked(link, "tcp", *place, seconds),
        }
        if end.secure:
            links["tls"] = lambda place=place, end=end, roots=roots: _asked(
                link, "tls", *place, seconds, end.ca, roots
            )
        rows.chain(f"{name} {end.host}:{end.port}", links)


def _asked(link: Link, function: str, *arguments: Any) -> str | None:
    """What a function of onboard/ says: None, or a text."""
    said = onboard.call(link, function, *arguments, timeout=60)
    return answers.one(link.port, said, answers.optional(answers.text))


def _off(seconds: float, whose: str) -> str | None:
    if abs(seconds) <= _CLOCK_S:
        return None
    way = "ahead" if seconds > 0 else "behind"
    return f"{whose} is {abs(round(seconds))} s {way}"
