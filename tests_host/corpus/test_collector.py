"""The collector tells the truth: it fails what crashes, what hangs and what says a secret."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests_host.secret_search import masked

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("interpreters", "secret_search", "corpus.conftest")
SOURCE = """
import os
import sys
from binascii import hexlify
import canaries


def abort():
    if sys.implementation.name == "micropython":
        __import__("uctypes").bytearray_at(8, 4)[0]
    os.abort()


def hang():
    __import__("time").sleep(1000)


def leak():
    print(hexlify(canaries.DEVICE_SECRET.encode()))


def test_a_good():
    print("said by a good one")


def test_bad():
    print("said by the bad one")
    {}()


def test_good_behind_it():
    assert 1 == 1
"""


@pytest.mark.parametrize(
    "what, says",
    [
        ("abort", "no result of test_bad: the process ends with exit code -"),
        ("hang", "no result of test_bad: the process hangs for 5 s"),
        ("leak", "secrets in what was printed or raised: the canary device secret in hex"),
    ],
)
def test_what_is_bad_fails_and_nothing_else(tmp_path, what, says):
    tmp_path.joinpath("device_it.py").write_text(SOURCE.format(what), "utf-8")
    tmp_path.joinpath("pytest.ini").write_text("[pytest]\npython_files = device_*.py\n")
    plugins = [f"-ptests_host.{name}" for name in PLUGINS]
    options = [*plugins, "--interpreters=", "-rA", "--color=no"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        cwd=ROOT,
        # Without CI: there pytest's summary repeats the whole message.
        env={k: v for k, v in os.environ.items() if k not in ("CI", "DYNREG_MICROPYTHON")}
        | {"CORPUS_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    print(masked(result.stdout), masked(result.stderr))
    found = re.findall(r"^(PASSED|FAILED) \S*?::(\S+\])", result.stdout, re.MULTILINE)
    tests = {"test_a_good": "PASSED", "test_bad": "FAILED", "test_good_behind_it": "PASSED"}
    assert {name: outcome for outcome, name in found} == {
        f"{test}[{interpreter}]": outcome
        for test, outcome in tests.items()
        for interpreter in ("cpython", "micropython")
    }
    assert result.stdout.count(says) == 2
    assert result.stdout.count("said by the bad one") >= 2
