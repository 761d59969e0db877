"""How tools/dynreg_tools is laid out: no module imports itself in a circle, layers one way."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from dynreg_tools.sources import ROOT

TOOLS = ROOT / "tools"
PACKAGE = "dynreg_tools"
ON_BOARDS = ("bench/firmware", "bench/programs", "virtualboard/firmware")
MODULES = {
    ".".join(path.relative_to(TOOLS).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (TOOLS / "dynreg_tools").rglob("*.py")
    if not any(part in path.as_posix() for part in ON_BOARDS)
}
# package: those beside it that it may import from
MAY_IMPORT = {
    "hub": {"errors", "files", "sources"},
    "virtualboard": {"build", "errors", "files", "sources"},
    "build": {"errors", "files", "sources"},
    "boards": {"build", "console", "errors", "files", "printable", "sources"},
    "shims": {"build", "sources"},
    "bench": {"build", "errors", "files", "hub", "sources"},
    "release": {
        *("boards", "build", "console", "demo", "errors", "hub", "sources", "testing"),
        "virtualboard",
    },
}
# Of the hub: what knows nothing of the servers, and of which the layers know nothing.
LAYERS = (
    *("hub.http", "hub.mqtt", "hub.services", "hub.tls", "hub.udp"),
    *("hub.listener", "hub.store", "hub.rules"),
)


@cache
def imports(module):
    """The modules of the package that one imports, at the top or later."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            base += node.module.split(".") if node.module else []
            named = [".".join([*base, name.name]) for name in node.names]
            found |= {name for name in named if name in MODULES} or {".".join(base)}
    return found & set(MODULES) - {module}


@cache
def level(module):
    """1 for a module that imports none; RecursionError where they go round in a circle."""
    return 1 + max(map(level, imports(module)), default=0)


def test_there_are_no_circles():
    for module in MODULES:
        level(module)


def test_an_import_is_found_here():
    assert "dynreg_tools.hub.mqtt.session" in imports("dynreg_tools.hub.mqtt.broker")
    assert "dynreg_tools.boards.onboard" in imports("dynreg_tools.boards.apply")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_know_those_below_them_only(package):
    for module in MODULES:
        if module.startswith(f"dynreg_tools.{package}"):
            beside = {name.split(".")[1] for name in imports(module)} - {package}
            assert beside <= MAY_IMPORT[package], module


def test_the_hubs_layers_and_its_faults_know_nothing_of_each_others_servers():
    for module in MODULES:
        name = module.removeprefix("dynreg_tools.")
        theirs = {other.removeprefix("dynreg_tools.") for other in imports(module)}
        if name.startswith(LAYERS):
            assert not any(other.startswith("hub.faults") for other in theirs), module
        if name.startswith("hub.faults"):
            servers = ("hub.server", "hub.listener", "hub.ports", "hub.hub", "hub.http.gateway")
            assert not any(other.startswith((*servers, "hub.mqtt.broker")) for other in theirs)


STATEMENTS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.For, ast.While, ast.With, ast.Try)


def programs_in_strings(tree):
    """Strings that are Python with statements in it; docstrings, which are prose, are none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (n.value if isinstance(n, ast.Constant) else "_" for n in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        try:
            found = list(ast.walk(ast.parse(text)))
        except (SyntaxError, ValueError):
            continue
        if any(isinstance(inner, STATEMENTS) for inner in found):
            yield text


def test_a_program_in_a_string_is_found_here():
    tree = ast.parse('send(f"import {name}\\nx = 1", "for a person")')
    assert list(programs_in_strings(tree)) == ["import _\nx = 1"]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_what_runs_on_a_board_is_a_file_and_no_string(module):
    assert list(programs_in_strings(ast.parse(MODULES[module].read_text("utf-8")))) == []


def test_options_of_a_command_line_are_known_to_commands_only():
    for module, path in MODULES.items():
        if not module.startswith(("dynreg_tools.commands.", "dynreg_tools.cli")):
            assert "argparse.Namespace" not in path.read_text("utf-8"), module


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short(module):
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines <= 250


def modules_of_the_page():
    """(folder, module) for each that the table "Every module" names."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page[page.index("Every module, by folder:") :].split("\n\n")[1]
    for row in table.splitlines()[2:]:
        _, folders, text, _ = (cell.strip() for cell in row.split("|"))
        text = re.sub(r"\]\([^)]*\)", "", text)
        for name in re.findall(r"`([a-z_0-9]+)`", text):
            places = [folder.strip("`/") for folder in folders.split(", ")]
            place = next((p for p in places if (TOOLS / PACKAGE / p / f"{name}.py").is_file()), "")
            yield place.removeprefix(PACKAGE), name


def test_the_page_names_every_module_once():
    named = Counter(modules_of_the_page())
    paths = [path.relative_to(TOOLS / PACKAGE) for path in (TOOLS / PACKAGE).rglob("*.py")]
    there = {
        (path.parent.as_posix().removeprefix("."), path.stem)
        for path in paths
        if path.stem not in ("__init__", "__main__")
    }
    assert set(named) == there
    assert max(named.values()) == 1


def _says_no_encoding(call):
    """Whether a call reads or writes text by the encoding of whatever locale there is."""
    name = getattr(call.func, "attr", None)
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if "encoding" in keywords:
        return False
    lacks = len(call.args) < {"read_text": 1, "write_text": 2}.get(name, 0)
    return lacks or keywords.get("text") == "True"


@pytest.mark.parametrize("module", [name for name in MODULES if ".onboard." not in name])
def test_text_has_an_encoding_whatever_the_locale(module):
    """Of open() ruff knows; these it does not see everywhere."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if _says_no_encoding(call)] == []


def test_a_call_without_an_encoding_is_seen():
    for source in ("p.read_text()", "p.write_text(x)", "run(c, text=True)"):
        assert _says_no_encoding(ast.parse(source).body[0].value)
