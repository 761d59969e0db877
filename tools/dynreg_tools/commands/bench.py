"""`dynreg bench`: what a boot costs: round trips, bytes, packets, heap, flash; beside others."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ..bench import chart, report, results
from ..bench.clients import BY_NAME, CLIENTS, peer
from ..bench.errors import BenchError
from ..bench.wire import Setting
from ..build import interpreters
from ..build.interpreters import Interpreter
from ..sources import ROOT, need_clone

DOCS = ROOT / "docs"
RUNS = 5
FULL = [Setting(200), Setting(50), Setting(600), Setting(200, 0.01), Setting(200, 0.05)]
DESCRIPTION = "What a boot costs: round trips, bytes, packets, heap, flash; beside others."
EXAMPLE = """\
examples:
  dynreg bench                             at 200 ms, three minutes
  dynreg bench --rtt 50,600 --loss 0,5     four links: each round trip, with and without loss
  dynreg bench --clients dynreg --runs 1   a quick look at one client
  dynreg bench --peer "python3 boot.py"    another client beside ours, on the same link
  dynreg bench --interpreter ./micropython   memory on a MicroPython of your own, too
  dynreg bench --update-docs               all that docs/performance.md shows, a quarter of an hour

The link is the kernel's TCP over two TUN devices in network namespaces of their own, and needs
root on Linux ('sudo ./dev bench', or 'unshare -r ./dev bench' where /dev/net/tun is open to you).
Elsewhere the bench says so and measures heap and flash.

Memory is measured on the pinned 64-bit MicroPython, on Debian's 32-bit one where ./dev setup could
fetch it, and on those of DYNREG_MICROPYTHON=PATH:PATH and --interpreter: unix ports with TLS and
with requests frozen. Reads of the flash are counted on littlefs in RAM, the same on every run.

A peer is a shell command that registers, logs in, asks for the time and ends; it is run twice, for
a first and a warm boot. Its environment says where: DYNREG_GATEWAY (URL), DYNREG_MQTT_HOST,
DYNREG_MQTT_PORT (TLS), DYNREG_CA_PEM and DYNREG_CA_DER (files), DYNREG_PRODUCT_ID,
DYNREG_PRODUCT_SECRET, DYNREG_DEVICE_NAME, and DYNREG_FOLDER, where it can keep what it was given.
It is measured until the hub's answer to its question for the time reaches it, or until it ends."""


def add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--rtt", type=_numbers(1, 5000), default=[200], metavar="MS,…", help="default 200")
    add("--loss", type=_numbers(0, 50), default=[0], metavar="PERCENT,…", help="default 0")
    add("--full", action="store_true", help="50, 200 and 600 ms, and 1 and 5 %% lost at 200 ms")
    add("--runs", type=_count, default=RUNS, metavar="N", help=f"default {RUNS}, twice with loss")
    add(
        "--clients",
        type=_clients,
        default=[client.name for client in CLIENTS],
        metavar="NAME,…",
        help=f"of {', '.join(BY_NAME)} (default all)",
    )
    add("--no-heap", action="store_true", help="leave the heap out, which takes a minute or two")
    add(
        "--interpreter",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="measure memory on this MicroPython too; can be given several times",
    )
    add("--peer", metavar="COMMAND", help="another client, see below")
    add("--json", nargs="?", const="-", metavar="FILE", help="all figures; without FILE on stdout")
    add("--chart", metavar="FILE", help="an SVG of the first link's figures")
    add("--update-docs", action="store_true", help="--full, into docs/performance.md and .svg")


def run(options: argparse.Namespace) -> int:
    """0 once everything is measured."""
    need_clone("bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    clients = [BY_NAME[name] for name in options.clients]
    if options.peer:
        clients.append(peer(options.peer))
    settings = [Setting(rtt, loss / 100) for rtt in options.rtt for loss in options.loss]
    if options.full or options.update_docs:
        settings = FULL
    try:
        others = None if options.no_heap else _interpreters(options.interpreter)
        found = results.measure(clients, settings, options.runs, _say, others)
        if options.update_docs:
            options.chart = options.chart or DOCS / "performance.svg"
            report.update(DOCS / "performance.md", found)
        if options.chart:
            Path(options.chart).write_text(chart.svg(report.text(found)), "utf-8")
        if options.json not in (None, "-"):
            Path(options.json).write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise BenchError(str(error)) from None
    except KeyboardInterrupt:
        return 130
    print(json.dumps(found) if options.json == "-" else report.text(found))
    return 0


def _interpreters(paths: list[Path]) -> list[Interpreter]:
    """Those that are here and those that were asked for; says where there is none of 32 bits."""
    others = interpreters.available()
    known = {other.path for other in others}
    more = [path for path in paths if path.absolute() not in known]
    others += [interpreters.ask(path, needs=interpreters.NETWORK) for path in more]
    if not any(other.bits == 32 for other in others):
        _say(f"memory of 64-bit words only: {interpreters.why_not()}")
    return others


def _numbers(least: float, most: float) -> Callable[[str], list[float]]:
    def parse(text: str) -> list[float]:
        values = [float(part) for part in text.split(",")]
        if not all(least <= value <= most for value in values):
            raise argparse.ArgumentTypeError(f"each must be {least:g} to {most:g}")
        return values

    parse.__name__ = "list of numbers"  # for argparse's messages
    return parse


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _clients(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in BY_NAME:
            raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join(BY_NAME)}")
    return names


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
