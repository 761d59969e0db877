"""docs/faults.md holds the catalogue as it is, docs/errors.md every code of library and commands.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/faults/test_pages.py`.
"""

import ast
import os
import re

from dynreg_tools.boards import remedies
from dynreg_tools.hub.faults import CATALOGUE
from dynreg_tools.hub.faults.catalogue import spelling
from dynreg_tools.sources import ROOT
from tests_host.faults.rows import ROWS, UPDATES

FAULTS, ERRORS = ROOT / "docs" / "faults.md", ROOT / "docs" / "errors.md"
_BLOCK = re.compile(r"(<!-- made by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
_CODE = re.compile(
    r'"((?:config|storage|network|protocol|register|login|subscribe|certificate|argument|busy|memory|service|ota)'
    r'(?:\.[a-z%]+)?)"'
)
_SHAPE = r"[a-z_]+(\.[a-z_]+)?"
# Names of modules and functions, and of calls in the façade's log.
_STEP = re.compile(r'step[(,]\s*"[^"]+",\s*"[^"]+"|_do\("[^"]+"')


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
    updates = {}
    for fault, told in UPDATES.items():
        if re.split("[:*]", fault)[0] == kind.name:
            words = f"tells the cloud {told[0]}" if told else "takes the update"
            updates.setdefault(words, []).append(fault.removeprefix(kind.name).lstrip(":"))
    return "; ".join(
        words + (f" ({', '.join(filter(None, given))})" if len(updates) > 1 else "")
        for words, given in updates.items()
    ) or _told(kind, _outcome)


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
    updates = {re.split("[:*]", fault)[0] for fault in UPDATES}
    assert {_name(row) for row in ROWS} | updates == set(CATALOGUE)
    assert len(CATALOGUE) >= 60


def _library_codes():
    found = set()
    for file in (ROOT / "lib" / "dynreg").rglob("*.py"):
        found |= set(_CODE.findall(_STEP.sub("", file.read_text())))
    return {"login.1" if code == "login.%d" else code for code in found} - {"login"}


def _command_codes():
    """What the commands raise as a BoardError, or put into a row as "error"."""
    folder = ROOT / "tools" / "dynreg_tools"
    for file in [*(folder / "boards").rglob("*.py"), *(folder / "commands").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found = []
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                found = node.args[:1] if name.endswith(("BoardError", "_board_errors")) else []
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                found = [value for key, value in pairs if key and ast.unparse(key) == "'error'"]
            for value in found:
                if isinstance(value, ast.Constant) and re.fullmatch(_SHAPE, str(value.value)):
                    yield value.value


def test_the_page_of_errors():
    """Its words for what to do are those of a report; no code is missing on either side."""
    page = ERRORS.read_text()
    library, commands = page.split("## Of the commands")
    new = re.sub(
        r"(?m)^(\| `([a-z.0-9]+)`.*\| )[^|]*( \|)$",
        lambda row: row[1] + remedies.LIBRARY.get(row[2], "?") + row[3],
        library,
    )
    rows = "".join(
        f"| `{code}` | {' | '.join(remedies.TOOLS[code])} |\n" for code in remedies.TOOLS
    )
    head, _, _ = commands.partition("|---|---|---|\n")
    new += f"## Of the commands{head}|---|---|---|\n{rows}"
    if os.environ.get("DYNREG_GOLDEN") == "write":
        ERRORS.write_text(new)
    assert ERRORS.read_text() == new
    written = set(re.findall(r"(?m)^\| `([a-z.0-9]+)`", library))
    assert _library_codes() == written == set(remedies.LIBRARY)


def test_every_code_of_the_commands_has_an_action():
    found = set(_command_codes())
    assert {"board.lost", "flash.write", "no_library", "internal"} <= found
    assert found - set(remedies.TOOLS) - set(remedies.LIBRARY) == set()


def test_what_to_do_is_found_for_any_code():
    assert remedies.what_to_do("login.5") == remedies.LIBRARY["login.1"]
    assert "dynreg watch" in remedies.what_to_do("an.applications.own")
