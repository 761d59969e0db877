"""`dynreg herd`: a whole site of boards boots in one second, simulated."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields

from ..bench.herd import PAGE, PICTURE, SPREADS, Site, page, simulate, table
from ..bench.herdchart import svg
from ..sources import need_clone

DESCRIPTION = "After a power cut of a whole site all boards boot in the same second, simulated."
EXAMPLE = """\
examples:
  dynreg herd                  a table: how long until all are online, and at what peak
  dynreg herd --json           the same as one JSON object
  dynreg herd --write          docs/herd.svg, and the figures in docs/herd.md"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--boards", type=int, default=Site.boards)
    parser.add_argument("--capacity", type=int, default=Site.capacity, help="logins a second")
    parser.add_argument("--backlog", type=float, default=Site.backlog, help="seconds")
    parser.add_argument("--loss", type=float, default=Site.loss, help="share of the answers")
    parser.add_argument("--loss-s", type=float, default=Site.loss_s, help="for so many seconds")
    parser.add_argument("--seed", type=int, default=Site.seed)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", action="store_true", help="docs/herd.svg and docs/herd.md")


def run(options: argparse.Namespace) -> int:
    """0 once all sites are simulated."""
    site = Site(**{field.name: getattr(options, field.name) for field in fields(Site)})
    results = [simulate(site, spread) for spread in SPREADS]
    figures = table(site, results)
    if options.write:
        need_clone("herd --write")
        PICTURE.write_text(svg(site, results), "utf-8")
        PAGE.write_text(page(PAGE.read_text("utf-8"), figures), "utf-8")
    if options.json:
        print(json.dumps({"site": asdict(site), "results": [asdict(r) for r in results]}))
    else:
        print(figures, end="")
    return 0
