"""`pip install .`: the wheel, in a venv of its own, from another folder."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from dynreg_tools.sources import version
from tests_host.fleet.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [sys.executable, "-m", "pip", *build, "-w", folder, ROOT],
        check=True,
        capture_output=True,
        timeout=120,
        env=os.environ | {"PIP_NO_CACHE_DIR": "1"},
    )
    (file,) = folder.glob("*.whl")
    return file


def test_it_holds_one_package_and_all_that_goes_onto_boards(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"dynreg_tools", "dynreg-stubs", "hub-stubs", f"dynreg-{version()}.dist-info"}
    assert {name.split("/")[0] for name in names} == packages
    inside = {name.removeprefix("dynreg_tools/board_files/") for name in names}
    for file in [*(ROOT / "lib").rglob("*.py"), ROOT / "boot.py", ROOT / "main.py"]:
        assert file.relative_to(ROOT).as_posix() in inside
    assert "device_info.json" in inside
    assert "firmware/boards.toml" in inside
    assert not any("__pycache__" in name or name.endswith(".mpy") for name in names)


def test_it_holds_the_packages_as_the_clone_has_them(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in (ROOT / "tools/dynreg_tools", *(ROOT / "tools/stubs").glob("*-stubs")):
        assert {
            file.relative_to(package.parent).as_posix()
            for file in package.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        } <= names


@pytest.fixture
def installed(wheel, tmp_path):
    """Runs the installed command, or a module, in a folder of its own without the clone."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.check_output([python, "-c", where], text=True).strip()
    ours = subprocess.check_output([sys.executable, "-c", where], text=True).strip()
    install = ["--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    # what it depends on, as the lock has it: from the tests' own venv
    with open(os.path.join(theirs, "ours.pth"), "w", encoding="utf-8") as file:
        file.write(ours + "\n")
    umqtt = ROOT / ".cache" / "firmware" / "umqtt" / "simple.py"  # else it would be fetched
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"DYNREG_UMQTT": str(umqtt), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    (tmp_path / "cache" / "dynreg").mkdir(parents=True)
    (tmp_path / "cache" / "dynreg" / "firmware").symlink_to(umqtt.parents[1])
    environment["PATH"] = f"{os.path.dirname(sys.executable)}:{environment['PATH']}"  # micropython

    def run(name, *arguments, cwd=tmp_path):
        command = [venv / "bin" / name] if name == "dynreg" else [python, "-m", name]
        return subprocess.run(
            [*command, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.ci
def test_the_installed_command_deploys_from_another_folder(installed, bench):
    bench.on(bench.board("b0"))
    done = installed("dynreg", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: dynreg")
    done = installed("dynreg", "deploy", "--port", "boards/b0/port", "--json", cwd=bench.folder)
    assert done.returncode == 0, done
    assert "/lib/dynreg/device.mpy" in json.loads(done.stdout)["written"]


@pytest.mark.ci
def test_the_demo_runs_without_a_clone(installed):
    done = installed("dynreg", "demo", "--json")
    assert done.returncode == 0, done
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["first_boot"]["registered"]
    assert summary["secret_stored"]


@pytest.mark.ci
def test_what_needs_a_clone_says_so(installed):
    done = installed("dynreg", "size")
    assert done.returncode == 1
    assert done.stderr == "dynreg: size works in a clone of the repository only\n"


@pytest.mark.slow  # .ci/run has the examples' tests from the wheel too
def test_an_application_is_tested_with_its_plugin(installed, tmp_path):
    """The examples' own tests, with all fixtures found by the wheel's entry point."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = installed("pytest", "-n", "2", "-p", "no:cacheprovider", "examples")
    assert done.returncode == 0, done.stdout
    assert " 13 passed" in done.stdout


@pytest.mark.ci
def test_without_the_extra_the_plugin_harms_nobody_and_says_what_is_missing(installed, tmp_path):
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['trustme'] = None\n")
    (tmp_path / "test_one.py").write_text(
        "import sys\n\ndef test_mine():\n    assert 'dynreg_tools.hub' not in sys.modules\n\n"
        "def test_theirs(hub):\n    pass\n"
    )
    done = installed("pytest", "-p", "no:cacheprovider", "test_one.py")
    assert done.returncode == 1
    assert "1 passed, 1 error" in done.stdout
    assert (
        "the fixture hub needs trustme, which is not installed: pip install 'dynreg[hub]'"
        in done.stdout
    )
    assert "Traceback" not in done.stdout
