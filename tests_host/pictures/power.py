"""The power cuts as a picture: where the credential comes back from after a cut at each write.

It is of a run of tests_host/power and tests_host/flow, whose outcomes the picture carries.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from dynreg_tools.bench.drawing import WIDTH, Drawing
from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard.board import TORN
from tests_host.pictures.shapes import PictureError

# What is drawn, and its tests: the state of the torn block stands last in a test's name.
_POWER = "tests_host/power/test_power_cuts.py::test_every_cut_point[{}-NVS-"
PANELS = {
    "The whole first boot, with the hub, littlefs": (
        "tests_host/flow/test_power_cuts.py::test_a_first_boot_cut_at_every_write["
    ),
    "Store a secret, FAT": _POWER.format("store a secret-fat"),
    "Store a certificate and its key, littlefs": _POWER.format("store a certificate-littlefs2"),
    "A fresh device_info.json over it, littlefs": _POWER.format("copy a config over-littlefs2"),
    "Forget on purpose, littlefs": _POWER.format("forget-littlefs2"),
}
# Letters of cuts.back_from(): what each means, its colour, its bars as (foot, height). The upper
# half of a cell is device_info.json, the lower one NVS, a line at the top a file system lost.
_KINDS = {
    "-": ("not registered, and may register", "muted", ((0, 2),)),
    "F": ("not registered; FAT lost, files copied anew", "ink", ((0, 2), (12, 2))),
    "2": ("registered: healed from the copy in NVS", "blue", ((0, 8),)),
    "N": ("registered: from NVS; FAT lost, files copied anew", "orange", ((0, 8), (12, 2))),
    "1": ("registered: healed from device_info.json", "green", ((6, 8),)),
    "b": ("registered: both copies are whole", "purple", ((0, 14),)),
}
_EDGE, _LABEL, _ROW, _WIDEST = 16, 96, 19, 12


def run() -> dict[str, dict[str, str]]:
    """Runs the tests of PANELS: the outcome of each cut, in order, by panel and state."""
    named = {f"{PANELS[panel]}{state}]": (panel, state) for panel in PANELS for state in TORN}
    found = {panel: dict.fromkeys(TORN, "") for panel in PANELS}
    with tempfile.TemporaryDirectory(prefix="dynreg-power-") as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "-n", "2"]
        words = [*command, f"--junitxml={report}", *named]
        result = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        if result.returncode:
            failed = re.findall(r"^(?:FAILED|ERROR:?) (.*)$", result.stdout + result.stderr, re.M)
            raise PictureError(f"of {len(named)} tests not all pass: {' '.join(failed[:1])}")
        for case in ElementTree.parse(report).iter("testcase"):
            path = (case.get("classname") or "").replace(".", "/")
            panel, state = named[f"{path}.py::{case.get('name')}"]
            properties = {one.get("name"): one.get("value") for one in case.iter("property")}
            found[panel][state] = properties["outcomes"] or ""
    return found


def draw(found: dict[str, dict[str, str]]) -> str:
    """A panel for each operation: a row for each state of the torn block, a cell for each cut."""
    drawing = Drawing(
        "Where the credential comes back from, after a power cut at each flash write",
        "Five operations, each cut at each of its flash writes with the block at hand in five "
        "states. After each cut the board is not registered and may register, or registered with "
        "the right credential, healed from one of its two copies; in no case is it lost.",
    )
    drawing.data = found
    drawing.text(_EDGE, 30, "After a power cut at each flash write", bold=True)
    y = 40
    for letter, (words, colour, bars) in _KINDS.items():
        if any(letter in cells for states in found.values() for cells in states.values()):
            y += 21
            drawing.shape("path", colour, d=_cell(_EDGE, y, _WIDEST, bars))
            drawing.text(_EDGE + 22, y, words)
    for panel, states in found.items():
        y = _panel(drawing, panel, states, y + 38)
    drawing.height = y + 14
    return drawing.svg()


def _panel(drawing: Drawing, panel: str, states: dict[str, str], y: float) -> float:
    """One operation below its heading, whose base line is y; where it ends."""
    most = max(map(len, states.values()))
    width = min(_WIDEST, (WIDTH - _EDGE - _LABEL - _EDGE) / most)
    drawing.text(_EDGE, y, panel, bold=True)
    y += 4
    for state, cells in states.items():
        y += _ROW
        drawing.text(_EDGE, y, state, "muted")
        for letter, (_, colour, bars) in _KINDS.items():
            left = _EDGE + _LABEL
            places = [left + at * width for at, other in enumerate(cells) if other == letter]
            if places:
                path = "".join(_cell(x, y, width, bars) for x in places)
                drawing.shape("path", colour, d=path)
    y += 20
    drawing.text(_EDGE + _LABEL, y, f"{most} flash writes, in order", "muted")
    return y


def _cell(x: float, y: float, width: float, bars: tuple[tuple[int, int], ...]) -> str:
    """One cut as a path; y is the base line beside it."""
    wide = width - 1
    return "".join(
        f"M{x:.1f} {y + 1 - foot}h{wide:.1f}v-{height}h-{wide:.1f}z" for foot, height in bars
    )
