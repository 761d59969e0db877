"""The collector tells the truth: it fails what fails, crashes, hangs, or says a secret."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests_host.corpus import canaries
from tests_host.secret_search import masked

ROOT = Path(__file__).resolve().parents[2]

GOOD = """
def test_good():
    print("said by test_good")
"""
BAD = """
import sys


def test_bad():
    print("said by test_bad")
    assert 1 == 2, "one is not two"


def test_good():
    pass


def test_raises():
    {}["no such key"]
"""
CRASH = """
import sys


def test_a_good_one():
    print("before the crash")


def test_b_crashes():
    print("about to crash")
    if sys.implementation.name == "micropython":
        import uctypes

        uctypes.bytearray_at(8, 4)[0]
    import os

    os.abort()


def test_c_never_comes():
    pass
"""
EXITS = """
import sys


def test_exits():
    sys.exit(0)
"""
HANGS = """
def test_a_good_one():
    pass


def test_b_hangs():
    print("for ever")
    while True:
        pass
"""
NO_FILE = """
import no_such_module


def test_never():
    pass
"""
RESTORES = """
import fakes
from dynreg import port


def test_a_replaces():
    fakes.replace(port, "EPOCH", 5)
    raise ValueError("in the middle")


def test_b_finds_all_as_it_was():
    assert port.EPOCH == 0
"""
LEAKS = """
import canaries
from binascii import b2a_base64, hexlify


def test_leaks():
    print("the key is", {})
"""


def _pytest(folder, *arguments, what=None, timeout="30", **files):
    """(outcome by item, the output) of pytest over these corpus files."""
    for name, source in files.items():
        folder.joinpath(f"device_{name}.py").write_text(source, "utf-8")
    folder.joinpath("pytest.ini").write_text("[pytest]\n")
    result = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-p", "tests_host.corpus.conftest", "-p", "no:cacheprovider"),
            *("-c", folder / "pytest.ini", "-rA", "--color=no", *arguments, what or folder),
        ],
        cwd=ROOT,
        # Without CI: there pytest's summary repeats the whole message.
        env={k: v for k, v in os.environ.items() if k != "CI"} | {"CORPUS_TIMEOUT": timeout},
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*?::(\S+\])", result.stdout, re.MULTILINE)
    print(masked(result.stdout), masked(result.stderr))
    return {name: outcome for outcome, name in found}, result.stdout


def _twice(**outcomes):
    outcomes.setdefault("secrets_stay_secret", "PASSED")
    return {f"{n}[{i}]": o for n, o in outcomes.items() for i in ("cpython", "micropython")}


def test_good_and_bad_functions(tmp_path):
    outcomes, output = _pytest(tmp_path, bad=BAD)
    assert outcomes == _twice(test_bad="FAILED", test_good="PASSED", test_raises="FAILED")
    assert output.count("AssertionError: one is not two") >= 2
    assert output.count("in test_bad") >= 2
    assert output.count("KeyError") >= 2
    assert output.count("said by test_bad") >= 2


def test_a_crash_fails_what_has_no_result(tmp_path):
    outcomes, output = _pytest(tmp_path, crash=CRASH)
    assert outcomes == _twice(
        test_a_good_one="PASSED", test_b_crashes="FAILED", test_c_never_comes="FAILED"
    )
    assert output.count("no result of test_b_crashes: the run ended with exit code -") == 2
    assert output.count("before the crash") >= 4  # the whole output


def test_an_exit_is_no_success(tmp_path):
    outcomes, _ = _pytest(tmp_path, exits=EXITS)
    assert outcomes == _twice(test_exits="FAILED")


def test_a_run_that_hangs_is_stopped(tmp_path):
    outcomes, output = _pytest(tmp_path, timeout="1.5", hangs=HANGS)
    assert outcomes == _twice(test_a_good_one="PASSED", test_b_hangs="FAILED")
    assert output.count("no result of test_b_hangs: stopped after 1.5 s") == 2
    assert output.count("for ever") >= 2


def test_a_file_that_does_not_import(tmp_path):
    outcomes, output = _pytest(tmp_path, no_file=NO_FILE)
    assert outcomes == _twice(test_never="FAILED")
    assert "no_such_module" in output


@pytest.mark.parametrize(
    "expression",
    [
        "canaries.PRODUCT_SECRET",
        "canaries.WIFI_PASSWORD.encode()",
        "hexlify(canaries.DEVICE_SECRET.encode())",
        "hexlify(canaries.DEVICE_SECRET.encode()).upper()",
        "b2a_base64(canaries.PRODUCT_SECRET.encode())",
        "canaries.PRIVATE_KEY",
        "repr(canaries.PAIR)",
        "canaries.PRIVATE_KEY[:120]",
        "hexlify(canaries.PRIVATE_KEY.encode())",
        "b2a_base64(canaries.PRIVATE_KEY.encode())",
    ],
)
def test_a_secret_in_the_output(tmp_path, expression):
    outcomes, output = _pytest(tmp_path, leaks=LEAKS.format(expression))
    assert outcomes == _twice(test_leaks="PASSED", secrets_stay_secret="FAILED")
    assert "the output holds the " in output


def test_the_search_for_secrets():
    assert canaries.leaks("nothing of the kind") == []
    for what, text in canaries.forms():
        assert what in canaries.leaks(f"log: {text!r} and more"), what


def test_stand_ins_are_taken_back_after_a_test_that_fails(tmp_path):
    outcomes, _ = _pytest(tmp_path, restores=RESTORES)
    assert outcomes == _twice(test_a_replaces="FAILED", test_b_finds_all_as_it_was="PASSED")


def test_selection_by_name(tmp_path):
    outcomes, output = _pytest(tmp_path, "-k", "test_good and micropython", bad=BAD, good=GOOD)
    assert outcomes == {"test_good[micropython]": "PASSED"}
    assert "2 passed" in output and "said by test_bad" not in output


def test_a_file_named_on_the_command_line(tmp_path):
    path = tmp_path / "device_good.py"
    path.write_text(GOOD)
    for argument, expected in (
        (path, _twice(test_good="PASSED")),
        (f"{path}::test_good[cpython]", {"test_good[cpython]": "PASSED"}),
    ):
        outcomes, _ = _pytest(tmp_path, what=argument)
        assert outcomes == expected


def test_with_several_workers(tmp_path):
    outcomes, _ = _pytest(tmp_path, "-n2", bad=BAD)
    assert outcomes == _twice(test_bad="FAILED", test_good="PASSED", test_raises="FAILED")
