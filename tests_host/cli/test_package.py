"""`./dev package`, and the package.json (mpremote mip) that lists what lib/ holds."""

import ast
import json
import os
import shutil
import subprocess
import sys

import pytest

from dynreg_tools.build import mpy, package, wheel
from dynreg_tools.sources import ROOT
from dynreg_tools.virtualboard import Board


def files():
    """What every board gets of lib/; the services have packages of their own."""
    names = (path.relative_to(ROOT / "lib") for path in (ROOT / "lib").rglob("*.py"))
    return sorted(name.as_posix() for name in names if "services" not in name.parts)


def services():
    """The modules of each service, by its name, with those of the others that these import."""
    folder = ROOT / "lib" / "dynreg" / "services"
    own, needs = {}, {}
    for path in folder.rglob("*.py"):
        name = path.relative_to(folder).parts[0].removesuffix(".py")
        own.setdefault(name, set()).add(path.relative_to(ROOT / "lib").as_posix())
        beside = path.parent == folder
        needs.setdefault(name, set()).update(_siblings(path) if beside else ())
    while True:
        more = {name: needs[name].union(*(needs[one] for one in needs[name])) for name in needs}
        if more == needs:
            break
        needs = more
    return {
        name: modules.union(*(own[one] for one in needs[name]))
        for name, modules in own.items()
        if not name.startswith("_")
    }


def _siblings(path):
    """What a module imports from beside it, within functions too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [alias.name for alias in node.names]


@pytest.fixture
def clone(tmp_path):
    """A copy to change."""
    for part in ("tools", "lib"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(folder, *arguments):
    command = [sys.executable, "-m", "dynreg_tools", "package", *map(str, arguments)]
    theirs = os.environ | {"PYTHONPATH": str(folder / "tools")}
    return subprocess.run(
        command, cwd=folder, env=theirs, capture_output=True, text=True, timeout=60
    )


def made(folder, *arguments):
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_list_is_the_library():
    urls = json.loads((ROOT / "package.json").read_text())["urls"]
    assert sorted(target for target, _ in urls) == files()
    assert all(source == "lib/" + target for target, source in urls)
    assert (ROOT / "package.json").read_text() == package.source_listing(), (
        "write it anew: ./dev package --sources"
    )


def test_the_list_follows_a_module_that_moves(clone):
    names = files()
    moved = next(name for name in names if not name.endswith("__init__.py"))
    place = clone / "lib" / "dynreg" / "elsewhere" / "module.py"
    place.parent.mkdir()
    shutil.move(clone / "lib" / moved, place)
    assert "package.json" in made(clone, "--sources")
    listed = dict(json.loads((clone / "package.json").read_text())["urls"])
    assert listed["dynreg/elsewhere/module.py"] == "lib/dynreg/elsewhere/module.py"
    assert set(names) - set(listed) == {moved}


def test_every_file_is_bytecode_that_any_version_6_loads(tmp_path):
    folder = package.build(tmp_path).parent
    compiled = {
        name: data for name, data in contents(folder).items() if not name.endswith("package.json")
    }
    own = [f"{one}/{name}" for one, names in services().items() for name in names]
    assert sorted(compiled) == sorted(name[:-3] + ".mpy" for name in [*files(), *own])
    for name, data in compiled.items():
        # "M", the version, flags (an architecture, a sub-version: native code), bits of an int
        assert data[:3] == b"M\x06\x00", name
        assert data[3] <= 31, name
        assert str(ROOT).encode() not in data


def test_each_service_is_a_package_of_its_own(tmp_path):
    found = package.summary(package.build(tmp_path))
    assert not [name for name in found["files"] if "services" in name]
    assert set(found["services"]) == set(services())
    for name, one in found["services"].items():
        place = tmp_path / "mip" / name / "package.json"
        listed = dict(json.loads(place.read_text())["urls"])
        assert sorted(listed) == sorted(module[:-3] + ".mpy" for module in services()[name])
        assert all((place.parent / source).is_file() for source in listed.values())
        assert one["files"].keys() == listed.keys()


def test_the_same_sources_give_the_same_bytes(clone, tmp_path):
    made(ROOT, "--out", tmp_path / "one")
    made(clone, "--out", tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_is_gone_from_the_library_goes_from_the_package(clone):
    made(clone)
    gone = next(name for name in files() if not name.endswith("__init__.py"))
    (clone / "lib" / gone).unlink()
    found = json.loads(made(clone, "--json"))
    assert found["package"] == "dist/mip/package.json"
    compiled = {
        name: data
        for name, data in contents(clone / "dist" / "mip").items()
        if name.partition("/")[0] in ("dynreg", "hub")
    }
    assert {name: len(data) for name, data in compiled.items()} == found["files"]
    assert gone[:-3] + ".mpy" not in compiled
    assert len(compiled) == len(files()) - 1
    assert found["bytes"] == sum(found["files"].values())
    assert os.listdir(clone / "dist") == ["mip"]


def test_the_version_is_the_librarys(clone):
    init = clone / "lib" / "dynreg" / "__init__.py"
    init.write_text(init.read_text().replace(package.version(), "7.8.9"))
    assert json.loads(made(clone, "--json"))["version"] == "7.8.9"
    assert json.loads((clone / "dist" / "mip" / "package.json").read_text())["version"] == "7.8.9"
    init.write_text("")
    done = run(clone)
    assert done.returncode == 1
    assert "__version__" in done.stderr


def test_a_source_that_does_not_compile_leaves_the_old_package(clone):
    made(clone)
    before = contents(clone / "dist")
    (clone / "lib" / "dynreg" / "fresh.py").write_text("def (:\n")
    done = run(clone)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("dynreg: ")
    assert "fresh.py" in done.stderr
    assert contents(clone / "dist") == before
    assert os.listdir(clone / "dist") == ["mip"]


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "mip").mkdir()
    (tmp_path / "mip" / "thesis.txt").write_text("")
    done = run(ROOT, "--out", tmp_path)
    assert done.returncode == 1
    assert "no package of ours" in done.stderr
    assert list(contents(tmp_path)) == ["mip/thesis.txt"]


def test_a_traceback_calls_a_module_by_its_name(tmp_path):
    source = tmp_path / "source" / "package" / "inner"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("from .broken import fail\nfail()\n")
    (source / "broken.py").write_text("def fail():\n    raise ValueError\n")
    mpy.compile_tree(tmp_path / "source", tmp_path / "mpy")
    done = subprocess.run(
        [
            wheel.path(),
            "-c",
            "import package.inner",
        ],
        env={"MICROPYPATH": str(tmp_path / "mpy")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = done.stdout + done.stderr
    assert 'File "inner", line 1, in <module>' in said
    assert 'File "broken", line 1, in fail' in said


@pytest.fixture
def mpremote(tmp_path):
    with Board.new(tmp_path / "board").power_on() as running:
        running.wait_repl()

        def call(*arguments):
            command = [sys.executable, "-m", "mpremote", "connect", running.port, *arguments]
            return subprocess.check_output(command, text=True, timeout=120)

        yield call


@pytest.mark.ci
def test_mip_installs_sources_and_the_remedy_for_them(mpremote, tmp_path):
    """mip deletes nothing, so compiled files have no effect beside sources; then they have."""
    compiled = package.build(tmp_path / "dist")
    which = "import dynreg, hub.hub; print(dynreg.__version__, dynreg.__file__)"
    mpremote("mip", "install", str(ROOT / "package.json"))
    assert mpremote("exec", which).split() == [package.version(), "/lib/dynreg/__init__.py"]
    mpremote("mip", "install", str(compiled))
    assert mpremote("exec", which).split()[1] == "/lib/dynreg/__init__.py"
    mpremote("rm", "-r", ":lib/dynreg", ":lib/hub")
    mpremote("mip", "install", str(compiled))
    assert mpremote("exec", which).split() == [package.version(), "/lib/dynreg/__init__.mpy"]
    mpremote("mip", "install", str(compiled.parent / "rrpc" / "package.json"))
    which = "from dynreg.services import rrpc; print(rrpc.__file__)"
    assert mpremote("exec", which).strip() == "/lib/dynreg/services/rrpc.mpy"
