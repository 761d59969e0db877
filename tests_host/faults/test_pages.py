"""docs/faults.md holds the catalogue as it is, docs/errors.md every code of the library.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/faults/test_pages.py`.
"""

import os
import re

from dynreg_tools.hub.faults import CATALOGUE
from dynreg_tools.hub.faults.catalogue import spelling
from dynreg_tools.sources import ROOT
from tests_host.faults.rows import ROWS

FAULTS, ERRORS = ROOT / "docs" / "faults.md", ROOT / "docs" / "errors.md"
_BLOCK = re.compile(r"(<!-- made by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
_CODE = re.compile(
    r'"((?:config|storage|network|protocol|register|login|subscribe|certificate|argument|busy|memory)'
    r'(?:\.[a-z%]+)?)"'
)
_STEP = re.compile(r'step[(,]\s*"[^"]+",\s*"[^"]+"')  # names of modules and functions


def _name(row):
    return re.split("[@:*]", row.fault.split()[0])[0]


def _outcome(row):
    """What comes of a row, in a few words."""
    if not row.when:
        return "works"
    return f"`{row.code or row.lost}`, {row.within:g} s"


def _argument(row):
    found = re.search(r":([^*@ ]+)", row.fault.split()[0])
    return found[1] if found else ""


def _then(kind):
    """What comes of a fault: equal outcomes together, with the arguments that tell them apart."""
    return _told(kind, _outcome)


def _again(kind):
    """When it is tried again: soon, later, never; empty where all works."""
    whens = list(dict.fromkeys(row.when for row in ROWS if _name(row) == kind.name and row.when))
    return whens[0] if len(whens) < 2 and whens else _told(kind, lambda row: row.when)


def _told(kind, outcome):
    outcomes = {}
    for row in ROWS:
        if _name(row) == kind.name and outcome(row):
            outcomes.setdefault(outcome(row), []).append(row)
    parts = []
    for words, rows in outcomes.items():
        steps = ", ".join(dict.fromkeys(row.step.partition(" for long")[0] for row in rows))
        given = ", ".join(dict.fromkeys(filter(None, map(_argument, rows))))
        differs = f" ({given})" if len(outcomes) > 1 and given else ""
        parts.append(f"{steps}{differs}: {words}")
    return "; ".join(parts)


def _table():
    lines = ["| fault | what goes wrong | then | again |", "|---|---|---|---|"]
    for kind in CATALOGUE.values():
        written = spelling(kind).replace("|", "\\|")
        lines.append(f"| `{written}` | {kind.text} | {_then(kind)} | {_again(kind)} |")
    return "\n".join(lines) + "\n"


def test_the_page_of_faults():
    text = FAULTS.read_text()
    new = _BLOCK.sub(lambda found: found[1] + "\n" + _table() + "\n" + found[2], text)
    if os.environ.get("DYNREG_GOLDEN") == "write":
        FAULTS.write_text(new)
    assert FAULTS.read_text() == new


def test_every_fault_has_a_row():
    assert {_name(row) for row in ROWS} == set(CATALOGUE)
    assert len(CATALOGUE) >= 60


def test_the_page_of_errors():
    written = set(re.findall(r"(?m)^\| `([a-z.0-9]+)`", ERRORS.read_text()))
    found = set()
    for file in (ROOT / "lib" / "dynreg").rglob("*.py"):
        found |= set(_CODE.findall(_STEP.sub("", file.read_text())))
    found = {"login.1" if code == "login.%d" else code for code in found} - {"login"}
    assert found == written
