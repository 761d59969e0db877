"""What a reader copies from a page or from --help: commands, programs, links; in every language.

A command need not be run for this: the command's own parser reads it. What they do is tried by the
tests of each, and README's and the guide's programs by tests_host/flow/test_send.py.
"""

import ast
import contextlib
import importlib
import importlib.util
import io
import json
import re
import runpy
import shlex
import sys
from functools import cache
from types import SimpleNamespace

import pytest

from dynreg_tools import cli
from dynreg_tools.extras import load
from dynreg_tools.sources import ROOT
from tests_host import pages

LIB = ROOT / "lib"
DEV = SimpleNamespace(**runpy.run_path(str(ROOT / "dev")))
COMMANDS = [
    one
    for page in pages.PAGES
    for one in pages.code(page)
    if re.match(r"(\./dev|dynreg) (?!NAME).*\S$", one.text)
]
# Of MicroPython, where CPython has none of the name; modules of an example beside it.
ON_BOARDS = {"machine", "thermostat", "hub"}
_PATH = r"(tests_host|tools|lib|docs|examples|firmware)/[\w./-]*\w/?"


def words(text):
    """A command line as its words, up to a comment, an explanation or the shell's next command."""
    text = re.split(r" {2,}(?=[^-'\"])| #", text)[0]
    text = re.sub(r"[\[\]]", "", text)  # what may be left out
    found = [word for word in shlex.split(text) if word not in ("…", "...")]
    for at, word in enumerate(found):
        if word in {"|", ">", "<", "&&", ";"}:
            return found[:at]
    return found


@cache
def parser(command):
    return cli.parser([command] if command in cli.COMMANDS else [])


def refused(command, arguments):
    """What the command's parser says against arguments; "" where it takes them."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            parser(command).parse_args(arguments)
        except SystemExit as ended:  # --help ends with 0
            return said.getvalue().splitlines()[-1] if ended.code else ""
    return ""


def of_developers(command, arguments):
    """What is wrong with a command that ./dev itself has; "" where nothing is."""
    source = importlib.util.find_spec(DEV.SHORTCUTS[command][1] or "dynreg_tools")
    if command == "test":
        gone = [word for word in arguments if re.match("(tests_host|examples)", word)]
        gone = [word for word in gone if not (ROOT / word.partition("::")[0]).exists()]
        return f"no {gone}" if gone else ""
    parts = source.submodule_search_locations
    path = (parts[0] + "/__main__.py") if parts else source.origin
    with open(path, encoding="utf-8") as file:
        text = file.read()
    unknown = [word for word in arguments if word.startswith("--") and f'"{word}"' not in text]
    return f"no {unknown}" if set(unknown) - {"--help"} else ""


def wrong(one):
    """What is wrong with a command on a page; "" where nothing is."""
    program, *rest = words(one.text)
    command = next((word for word in rest if not word.startswith("-")), None)
    if program == "./dev":
        if command in DEV.SHORTCUTS:
            return of_developers(command, rest[1:])
        if command not in (None, *DEV.DYNREG, *DEV.BOARDS):
            return f"./dev has no {command}"
    said = refused(command, rest)
    return "" if one.span and re.search("arguments are required|expected one arg", said) else said


def test_there_are_commands_to_try():
    assert len(COMMANDS) > 200
    assert sum(not one.span for one in COMMANDS) > 60


def test_every_command_on_a_page_is_one_that_the_command_takes():
    assert [(one.page, one.text, said) for one in COMMANDS if (said := wrong(one))] == []


def test_a_line_of_a_block_can_be_pasted():
    """What explains it is a shell's comment, and what may be left out is left out."""
    blocks = [re.sub(r"'[^']*'|\"[^\"]*\"", "x", one.text) for one in COMMANDS if not one.span]
    assert [line for line in blocks if re.search(r" {2,}[^ #]| \[-", line.split(" #")[0])] == []


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_examples_of_a_commands_help_are_ones_that_it_takes(name):
    text = re.sub(r"\\\n *", " ", load(f"commands.{name}", name).EXAMPLE)
    examples = re.findall(r"(?m)^(?:examples?:)? *(?:DYNREG_\w+=\S+ )*(dynreg .*\S)", text)
    assert examples
    said = [(one, wrong(pages.Code(name, one))) for one in examples]
    assert [pair for pair in said if pair[1]] == []


@pytest.mark.parametrize(
    "text",
    [
        "dynreg deploy --everything",
        "dynreg hub send lamp-1",
        "dynreg provide --all",
        "./dev provide",
        "./dev fuzz --sed 7",
        "./dev test tests_host/none",
    ],
)
def test_a_command_that_is_wrong_is_found(text):
    assert wrong(pages.Code("a page", text))


def test_modules_that_are_run_by_name_are_there():
    for page in pages.PAGES:
        for one in pages.code(page):
            for module in re.findall(r"python\S* -m (tests_host\.[\w.]+)", one.text):
                assert importlib.util.find_spec(module), (one.page, module)


def test_paths_in_the_pages_are_there():
    for page in pages.PAGES:
        for text in pages.spans(page):
            if "NAME" not in text and re.fullmatch(_PATH, text):
                assert (ROOT / text).exists(), (pages.name(page), text)


def names(module):
    """What a module of lib/ defines or imports at its top."""
    place = LIB.joinpath(*module.split("."))
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    found = {path.stem for path in place.iterdir()} if place.is_dir() else set()
    if not source.exists():  # dynreg.services is a folder
        return found
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found


def imported(tree):
    """(module, name or None) of every import of a program."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module, one.name) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, None) for one in node.names)


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_the_programs_of_a_page_compile_and_import_what_there_is(page):
    for text in pages.fences(page, "python"):
        tree = compile(
            text, pages.name(page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        for module, name in imported(tree):
            top = module.partition(".")[0]
            if (LIB / top).is_dir() and name:
                assert name in names(module), (module, name)
            elif (LIB / top).is_dir():
                assert names(module)
            elif top not in ON_BOARDS | sys.stdlib_module_names:
                loaded = importlib.import_module(module)
                assert name is None or hasattr(loaded, name), (module, name)


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_the_json_of_a_page_is_json(page):
    for text in pages.fences(page, "json"):
        rest = text if text.startswith("{") else "{" + text + "}"  # or a part of a file
        while rest:
            _, end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:].strip()


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_the_links_of_a_page_lead_somewhere(page):
    for target in pages.links(page):
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in pages.anchors(there), target
