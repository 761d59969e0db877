"""`pip install .`: the wheel, in a venv of its own, from another folder."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

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
    assert {name.split("/")[0] for name in names} == {"dynreg_tools", "dynreg-0.1.0.dist-info"}
    inside = {name.removeprefix("dynreg_tools/board_files/") for name in names}
    for file in [*(ROOT / "lib").rglob("*.py"), ROOT / "boot.py", ROOT / "main.py"]:
        assert file.relative_to(ROOT).as_posix() in inside
    assert "device_info.json" in inside and "firmware/boards.toml" in inside
    assert not any("__pycache__" in name or name.endswith(".mpy") for name in names)


def test_the_installed_command_deploys_from_another_folder(wheel, bench):
    venv = bench.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.check_output([python, "-c", where], text=True).strip()
    ours = subprocess.check_output([sys.executable, "-c", where], text=True).strip()
    install = ["--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    # what it depends on, as the lock has it: from the tests' own venv
    with open(os.path.join(theirs, "ours.pth"), "w") as file:
        file.write(ours + "\n")
    board = bench.board("b0")
    bench.on(board)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def dynreg(*arguments):
        return subprocess.run(
            [venv / "bin" / "dynreg", *arguments],
            cwd=bench.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = dynreg("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: dynreg")
    done = dynreg("deploy", "--port", "boards/b0/port", "--json")
    assert done.returncode == 0, done
    assert "/lib/dynreg/device.mpy" in json.loads(done.stdout)["written"]
