"""package.json (mpremote mip) lists what lib/ holds, and installs it."""

import json
import subprocess
import sys

from tools.demo import ROOT
from tools.virtualboard import Board


def files():
    return sorted(
        path.relative_to(ROOT / "lib").as_posix() for path in (ROOT / "lib").rglob("*.py")
    )


def test_the_list_is_the_library():
    urls = json.loads((ROOT / "package.json").read_text())["urls"]
    assert sorted(target for target, _ in urls) == files()
    assert all(source == "lib/" + target for target, source in urls)


def test_mip_installs_it_on_a_board(tmp_path):
    board = Board.new(tmp_path / "board")
    with board.power_on() as running:
        running.wait_repl()
        mpremote = [sys.executable, "-m", "mpremote", "connect", running.port]
        install = [*mpremote, "mip", "install", str(ROOT / "package.json")]
        subprocess.run(install, check=True, capture_output=True, timeout=120)
        check = [*mpremote, "exec", "import dynreg, hub.hub; print(dynreg.__version__)"]
        assert b"0.1.0" in subprocess.check_output(check, timeout=60)
