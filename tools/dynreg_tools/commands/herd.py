"""`dynreg herd`: a whole site of boards boots in one second, simulated; or loads a real hub."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields

from .. import extras
from ..bench.herd import LOAD_BEGIN, PAGE, PICTURE, SPREADS, Site, page, simulate, table
from ..bench.herdchart import svg
from ..sources import need_clone
from .shared import count

DESCRIPTION = """\
After a power cut of a whole site all boards boot in the same second, simulated; with --load how
many sessions and messages a real hub on this machine holds, over TCP and over TLS."""
EXAMPLE = """\
examples:
  dynreg herd                  a table: how long until all are online, and at what peak
  dynreg herd --json           the same as one JSON object
  dynreg herd --write          docs/herd.svg, and the figures in docs/herd.md
  dynreg herd --load           a table: sessions at once, round trips a second, memory, errors
  dynreg herd --load --tls-sessions 0 --sessions 500 --seconds 3"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--boards", type=int, default=Site.boards)
    parser.add_argument("--capacity", type=int, default=Site.capacity, help="logins a second")
    parser.add_argument("--backlog", type=float, default=Site.backlog, help="seconds")
    parser.add_argument("--loss", type=float, default=Site.loss, help="share of the answers")
    parser.add_argument("--loss-s", type=float, default=Site.loss_s, help="for so many seconds")
    parser.add_argument("--seed", type=int, default=Site.seed)
    parser.add_argument("--load", action="store_true", help="no simulation: load a real hub")
    parser.add_argument(
        "--sessions", type=int, default=5000, help="over TCP (%(default)s; 0: none)"
    )
    parser.add_argument("--tls-sessions", type=int, default=1000, help="over TLS (%(default)s)")
    parser.add_argument(
        "--in-flight", type=count, default=100, help="requests at a time (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of requests (%(default)g)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", action="store_true", help="docs/herd.svg and docs/herd.md")


def run(options: argparse.Namespace) -> int:
    """0 once all sites are simulated; of a load 1 where a message was wrong or missing."""
    if options.write:
        need_clone("herd --write")
    return _load(options) if options.load else _simulate(options)


def _simulate(options: argparse.Namespace) -> int:
    site = Site(**{field.name: getattr(options, field.name) for field in fields(Site)})
    results = [simulate(site, spread) for spread in SPREADS]
    figures = table(site, results)
    if options.write:
        PICTURE.write_text(svg(site, results), "utf-8")
        PAGE.write_text(page(PAGE.read_text("utf-8"), figures), "utf-8")
    if options.json:
        print(json.dumps({"site": asdict(site), "results": [asdict(r) for r in results]}))
    else:
        print(figures, end="")
    return 0


def _load(options: argparse.Namespace) -> int:
    load = extras.load("bench.load", "herd --load")
    ways = ((options.sessions, False), (options.tls_sessions, True))
    loads = [
        load.Load(number, options.in_flight, options.seconds, tls)
        for number, tls in ways
        if number > 0
    ]
    results = [(one, load.run(one)) for one in loads]
    figures = load.table(results)
    if options.write:
        PAGE.write_text(page(PAGE.read_text("utf-8"), figures, LOAD_BEGIN), "utf-8")
    if options.json:
        print(json.dumps([{**asdict(one), **asdict(figures)} for one, figures in results]))
    else:
        print(figures, end="")
    return int(any(figures.wrong or figures.lost for _, figures in results))
