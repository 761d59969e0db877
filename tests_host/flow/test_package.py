"""A blank board with the packages for mip, served as a release has them, and nothing else."""

import json

import pytest

from dynreg_tools import sources
from dynreg_tools.build import package
from dynreg_tools.release import mip
from dynreg_tools.release.steps import ReleaseError


@pytest.fixture
def flat(tmp_path):
    """The packages as they are attached to a release."""
    package.flatten(package.build(tmp_path), tmp_path / "assets")
    return tmp_path / "assets"


def install(flat, hub, folder):
    with mip.served(flat) as url:
        urls = [f"{url}/{path.name}" for path in sorted(flat.glob("*.json"))]
        return mip.by_mip(urls, sources.version(), folder, hub)


def test_mip_installs_them_and_the_board_registers_logs_in_and_sets_the_clock(tmp_path, hub, flat):
    assert install(flat, hub, tmp_path / "board") == "registered once, logged in twice"
    kinds = [event["event"] for event in hub.events]
    assert kinds.count("time_answered") >= 2


def test_a_module_that_is_not_served_is_told(tmp_path, hub, flat):
    (flat / "dynreg.services.rrpc.mpy").unlink()
    with pytest.raises(ReleaseError, match="rrpc"):
        install(flat, hub, tmp_path / "board")


def test_each_package_names_only_files_beside_it(flat):
    listed = [json.loads(path.read_text())["urls"] for path in flat.glob("*.json")]
    names = {name for urls in listed for _, name in urls}
    assert names == {path.name for path in flat.glob("*.mpy")}
    assert not [name for name in names if "/" in name]
