"""firmware/manifest.py freezes all of lib/, as MicroPython's own manifest tool sees it."""

import importlib.util
import os
from pathlib import Path

import pytest

from dynreg_tools import sources
from dynreg_tools.sources import ROOT

MANIFEST = ROOT / "firmware" / "manifest.py"
TOOL = ROOT / ".cache" / "firmware" / "tools" / "manifestfile.py"


@pytest.fixture(scope="module")
def tool():
    """MicroPython's tools/manifestfile.py; $MICROPYTHON_DIR takes that of a checkout."""
    checkout = os.environ.get("MICROPYTHON_DIR")
    path = Path(checkout) / "tools" / "manifestfile.py" if checkout else TOOL
    spec = importlib.util.spec_from_file_location("manifestfile", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def library(*services):
    """What lib/ holds without the services, or with some."""
    paths = [path.relative_to(ROOT / "lib") for path in (ROOT / "lib").rglob("*.py")]
    core = {p.as_posix() for p in paths if "services" not in p.parts}
    return core.union(*(sources.services()[one] for one in services))


def frozen(tool, manifest, **variables):
    """{path on the board: path here} of what a build would freeze."""
    evaluated = tool.ManifestFile(tool.MODE_FREEZE, variables)
    evaluated.execute(manifest)
    assert {file.kind for file in evaluated.files()} == {tool.KIND_FREEZE_AS_MPY}
    return {file.target_path: file.full_path for file in evaluated.files()}


def test_a_build_freezes_the_port_and_the_library(tool, tmp_path):
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "manifest.py").write_text('module("ours.py")\n')
    (tmp_path / "boards" / "ours.py").touch()
    found = frozen(tool, str(MANIFEST), PORT_DIR=str(tmp_path))
    assert set(found) == library() | {"ours.py"}
    for target in library():
        assert Path(found[target]).resolve() == ROOT / "lib" / target


def test_another_manifest_may_include_it_without_the_port(tool):
    assert set(frozen(tool, f"include({str(MANIFEST)!r}, port=False)")) == library()


@pytest.mark.parametrize("asked", [["rrpc"], ["ota"], ["thing", "firmware"], ["vendor_ota"]])
def test_services_are_frozen_that_are_asked_for(tool, asked):
    found = frozen(tool, f"include({str(MANIFEST)!r}, port=False, services={' '.join(asked)!r})")
    assert set(found) == library(*asked)


def test_a_port_that_cannot_be_found_stops_the_build(tool):
    """Else umqtt.simple and urequests would be missing, and nobody told."""
    with pytest.raises(tool.ManifestFileError, match="PORT_DIR"):
        frozen(tool, str(MANIFEST))


@pytest.mark.skipif("MICROPYTHON_DIR" not in os.environ, reason="needs a checkout of MicroPython")
def test_the_real_port_brings_what_the_library_imports(tool):
    checkout = Path(os.environ["MICROPYTHON_DIR"])
    found = frozen(
        tool,
        str(MANIFEST),
        MPY_DIR=str(checkout),
        MPY_LIB_DIR=str(checkout / "lib" / "micropython-lib"),
        PORT_DIR=str(checkout / "ports" / "esp32"),
    )
    assert library() < set(found)
    assert {"umqtt/simple.py", "urequests.py", "requests/__init__.py", "ntptime.py"} < set(found)
