"""What docs/architecture.md claims of lib/dynreg's structure, held against the code."""

import ast
import itertools
import re
from functools import cache

import pytest

from dynreg_tools.sources import ROOT

LIB = ROOT / "lib" / "dynreg"
MODULES = {
    path.relative_to(LIB).with_suffix("").as_posix().replace("/", "."): path
    for path in LIB.rglob("*.py")
    if "roots" not in path.parts
}


@cache
def imports(module):
    """The modules of dynreg that one imports, at the top or later, or calls as a step."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    package = module.split(".")[:-1]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package, "x"][: -node.level] if package else []
            base += node.module.split(".") if node.module else []
            named = [".".join([*base, name.name]) for name in node.names]
            found |= {name for name in named if name in MODULES} or {".".join(base)}
        if isinstance(node, ast.Call):
            # port.step("a.module", …), or as an argument: _safe(port.step, "a.module", …)
            parts = [node.func, *node.args]
            for call, first in itertools.pairwise(parts):
                if ast.unparse(call) == "port.step" and isinstance(first, ast.Constant):
                    found.add(first.value)
    return found & set(MODULES) - {module}


@cache
def level(module):
    """1 for a module that imports none; RecursionError where they go round in a circle."""
    return 1 + max(map(level, imports(module)), default=0)


# What services load for a call and drop again, or is loaded with every Device.
STEPS = {
    "_incoming": {"connect.tls", "services.ota.download"},
    "firmware": {"services.ota.__init__"},
    "ota": {"connect.backoff", "connect.tls", "device"},
    "setup": {"connect.hmac", "connect.wifi", "device", "storage.device_file"},
}
SERVICES = {module for module in MODULES if module.startswith("services.")}


def test_there_are_27_modules_at_most():
    assert len(set(MODULES) - SERVICES) <= 27


@pytest.mark.parametrize("module", sorted(set(MODULES) - SERVICES))
def test_the_library_loads_no_service(module):
    assert not imports(module) & SERVICES


@pytest.mark.parametrize("module", sorted(SERVICES))
def test_a_service_needs_only_what_is_always_loaded(module):
    name = module.split(".")[1]
    own = {other for other in SERVICES if other.split(".")[1] == name}
    always = {"errors", "log", "port", "connect.link"}  # the link once there was a session
    shared = {other for other in SERVICES if other.startswith("services._")}
    for_a_step = {"storage.store", "storage.credentials"} | STEPS.get(name, set())
    assert imports(module) - own - shared <= always | for_a_step


def test_there_are_no_circles_and_six_levels_at_most():
    levels = {module: level(module) for module in set(MODULES) - SERVICES}
    assert max(levels.values()) <= 6, levels


def test_a_steps_name_is_found_here():
    assert "connect.tls" in imports("connect.connection")
    assert "mqtt.timesync" in imports("mqtt.session")


# What puts a module of a desktop's, or of the vendor's, in its place.
STAND_INS = {"services._desktop", "services.vendor_explorer"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"port"} - STAND_INS))
def test_only_port_knows_of_loaded_modules(module):
    assert "sys.modules" not in MODULES[module].read_text("utf-8")


def test_each_module_stands_in_the_table():
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page[page.index("## On the board") : page.index("## On the host")]
    named = set(re.findall(r"`(?:[a-z]+/)?([a-z_0-9]+)\.py`", table))
    assert {module.rpartition(".")[2] for module in MODULES} == named
