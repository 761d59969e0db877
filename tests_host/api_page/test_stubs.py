"""The type stubs for lib/: the signatures are the code's, and programs are well typed by them.

mypy's stubtest imports the library here, on CPython, with MicroPython's modules from shims/.
"""

import ast
import builtins
import json
import os
import re
import subprocess
import sys
import sysconfig

import pytest

from dynreg_tools import sources
from tests_host.api_page import api, library, stubdocs

INTERNAL = sources.ROOT / "tests_host" / "api_page" / "internal.txt"
STUBS = sorted(path for path in library.STUBS.rglob("*.pyi") if path.stat().st_size)
# What nobody annotates on a board: MicroPython would only keep it in flash.
NOT_ASKED = dict.fromkeys(
    [
        *("reportMissingParameterType", "reportUnknownParameterType", "reportUnknownLambdaType"),
        *("reportUnknownArgumentType", "reportUnknownMemberType", "reportUnknownVariableType"),
        *("reportMissingModuleSource", "reportUnusedImport"),
    ],
    False,
)
ON_BOARDS = [sources.ROOT / "main.py", *sources.ROOT.glob("examples/*/*.py")]


@pytest.fixture
def installed(tmp_path):
    """A folder with the stubs under the names that programs import."""
    for package in library.STUBS.glob("*-stubs"):
        (tmp_path / package.name.removesuffix("-stubs")).symlink_to(package)
    return tmp_path


def stubtest(stubs, lib):
    places = [lib, sources.ROOT / "tools/dynreg_tools/shims", sources.CACHE / "firmware"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "MYPYPATH": str(stubs),
        "MYPY_CACHE_DIR": str(sources.CACHE / "mypy"),
    }
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--allowlist", INTERNAL]
    return subprocess.run(
        [*command, "dynreg", "hub"], env=environment, capture_output=True, text=True
    )


def test_the_stubs_have_the_signatures_of_the_library(installed):
    done = stubtest(installed, sources.LIB)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_parameter_that_the_stubs_lack_is_seen(installed, tmp_path):
    lib = tmp_path / "changed"
    for path in sources.LIB.rglob("*.py"):
        place = lib / path.relative_to(sources.LIB)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8")
        place.write_text(text.replace("message, qos=0, ms=60000", "message, new=0, ms=60000"))
    done = stubtest(installed, lib)
    assert "dynreg.mqtt.session.Session.publish is inconsistent" in done.stdout


@pytest.mark.parametrize("service", sources.services())
def test_each_service_has_stubs(service):
    assert library.stub(f"services.{service}").is_file()


def assigned(path):
    """The attributes that a module gives to classes and their objects; DeviceInfo's by key."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        for target in targets:
            for one in getattr(target, "elts", [target]):
                yield getattr(one, "attr", getattr(one, "id", None))


@pytest.mark.parametrize("path", STUBS, ids=lambda p: str(p.relative_to(library.STUBS)))
def test_the_attributes_of_the_stubs_are_there(path):
    """Those of a class stubtest sees; these are of its objects."""
    package, *parts = path.relative_to(library.STUBS).with_suffix("").parts
    module = ".".join(part for part in parts if part != "__init__")
    places = [library.source(module, package.removesuffix("-stubs"))] if module else []
    if package == "hub-stubs":
        places.append(library.source("services.vendor"))
    there = {name for place in places for name in assigned(place)}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert {name for name, _ in library.attributes(node)} <= there


def test_the_stubs_have_the_docstrings_of_the_library():
    if os.environ.get("DYNREG_GOLDEN") == "write":
        stubdocs.main()
    for path, module, package in stubdocs.stubs():
        known = stubdocs.docs(module, package)
        tree = ast.parse(path.read_text("utf-8"))
        shown = {name: ast.get_docstring(node) for name, node in stubdocs.nodes(tree)}
        here = {name: known.get(name) for name in shown}
        assert shown == here, path


def pyright(folder, include, rules, *places):
    """What basedpyright says of these files, beside MicroPython's own stubs for an ESP32."""
    (folder / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "include": [str(path) for path in include],
                "stubPath": str(folder),
                "extraPaths": [str(place) for place in places],
                "pythonVersion": "3.11",
                "typeCheckingMode": "strict",
                **rules,
            }
        )
    )
    command = [sys.executable, "-m", "basedpyright", "-p", folder, "--pythonpath", sys.executable]
    micropythons = ["--typeshedpath", sysconfig.get_path("purelib")]
    return subprocess.run([*command, *micropythons], capture_output=True, text=True)


def test_the_stubs_are_complete(installed):
    """No type is missing or unknown in them, in pyright's strict mode."""
    done = pyright(installed, STUBS, {})
    assert done.returncode == 0, done.stdout


def blocks():
    """(name, text) of each program that the pages show; those of docs/api.md are examples/."""
    for page in [sources.ROOT / "README.md", *(sources.ROOT / "docs").glob("*.md")]:
        found = re.findall(r"(?m)^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL)
        for number, text in enumerate(found):
            if page.stem != "api" and "dynreg" in text and "def test_" not in text:
                yield f"{page.stem.replace('.', '_')}_{number}", text
    for example in api.EXAMPLES.glob("*.py"):
        yield f"api_{example.stem}", example.read_text("utf-8")


AROUND = """
from typing import Any

from dynreg import Device
from dynreg.mqtt.session import Session

device: Device
session: Session
"""


def missing(text):
    """The names that a program takes from the page around it."""
    bound = {*dir(builtins), "__name__"}
    used = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return sorted(used - bound)


def test_the_examples_and_the_pages_are_well_typed(installed):
    programs = installed / "programs"
    programs.mkdir()
    around = {}
    for name, text in blocks():
        names = missing(text)
        around |= dict.fromkeys(names)
        head = f"from around import {', '.join(names)}\n" if names else ""
        (programs / f"{name}.py").write_text(head + text)
    own = [f"{name}: Any" for name in around if name not in ("device", "session")]
    (programs / "around.pyi").write_text(AROUND + "\n".join(own))
    assert len(list(programs.iterdir())) > 20
    folders = {path.parent for path in ON_BOARDS}
    done = pyright(installed, [programs, *ON_BOARDS], NOT_ASKED, programs, *folders)
    assert done.returncode == 0, done.stdout


WRONG = """
from dynreg import Device
from dynreg.services import rrpc

session = Device().connect(attempts="3")
session.publish("event", 21)
session.subscribe("control", lambda topic: print(topic))
rrpc.serve(session, lambda call: 5)
session.polls(1000)
"""


def test_a_program_with_mistakes_is_told_of_each(installed):
    program = installed / "wrong.py"
    program.write_text(WRONG)
    done = pyright(installed, [program], NOT_ASKED)
    lines = {int(line) for line in re.findall(r"wrong\.py:(\d+):\d+ - error", done.stdout)}
    assert lines == {5, 6, 7, 8, 9}
