"""The pictures of docs/, by name: how each is drawn without a run, and the run that some show."""

from collections.abc import Callable
from typing import Any

from dynreg_tools.bench import chart, herd, herdchart
from dynreg_tools.bench.drawing import data_of
from dynreg_tools.sources import ROOT
from tests_host.pictures import demo, power
from tests_host.pictures.architecture import architecture
from tests_host.pictures.flow import flow
from tests_host.pictures.shapes import PictureError
from tests_host.soak import picture as soak

DOCS = ROOT / "docs"


def _kept(file: str) -> Any:
    """What a picture carries of its run. PictureError where it does not."""
    try:
        return data_of((DOCS / file).read_text("utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(f"docs/{file} has no figures, a new run is needed: {error}") from None


def _herd() -> str:
    site = herd.Site()
    return herdchart.svg(site, [herd.simulate(site, spread) for spread in herd.SPREADS])


# name: its files, and what draws each
PICTURES: dict[str, dict[str, Callable[[], str]]] = {
    "flow": {"flow.svg": lambda: flow("en"), "flow.zh-CN.svg": lambda: flow("zh-CN")},
    "architecture": {"architecture.svg": architecture},
    "demo": {"demo.svg": lambda: demo.draw(_kept("demo.svg"))},
    "power": {"power-cuts.svg": lambda: power.draw(_kept("power-cuts.svg"))},
    "performance": {"performance.svg": lambda: chart.svg(chart.tables(DOCS / "performance.md"))},
    "herd": {"herd.svg": _herd},
    "soak": {"soak.svg": lambda: soak.draw(_kept("soak.svg"))},
}
# name: what draws its one file of a new run
RUNS: dict[str, Callable[[], str]] = {
    "demo": lambda: demo.draw(demo.record()),
    "power": lambda: power.draw(power.run()),
}
