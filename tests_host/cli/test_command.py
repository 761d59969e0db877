"""The dynreg command itself: bare, its version, what it says where a package is missing."""

import subprocess
import sys

import pytest

from dynreg_tools import cli, completion
from dynreg_tools.sources import version


def test_bare_it_prints_its_help(capsys):
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: dynreg ")
    assert all(name in shown for name in cli.COMMANDS)


def test_its_version_is_the_librarys(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"dynreg {version()}\n"


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "dynreg_tools", "--version"]
    assert subprocess.check_output(command, text=True) == f"dynreg {version()}\n"


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_completion_knows_each_command(capsys, shell):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--print-completion", shell])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.COMMANDS)
    assert "restore-identity" in shown


@pytest.mark.parametrize(
    ("modules", "arguments", "words"),
    [
        (
            ["trustme"],
            ["hub"],
            "hub needs trustme, which is not installed: pip install 'dynreg[hub]'",
        ),
        (
            ["termios"],
            ["board", "--help"],
            "board needs the pty of Linux or macOS: use WSL here, or a real board",
        ),
        (
            ["trustme", "cryptography", "h11", "dnslib", "starlette", "uvicorn"],
            ["hub", "devices", "--hub", "http://127.0.0.1:1"],
            "no hub answers at http://127.0.0.1:1: Connection refused",
        ),
    ],
)
def test_what_is_missing_is_named_in_one_sentence(modules, arguments, words):
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({modules})); "
        f"from dynreg_tools import cli; sys.exit(cli.main({arguments}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"dynreg: {words}\n")
