"""A short seeded run on both interpreters, Hypothesis on CPython; the long run is `./dev fuzz`."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests_host.fuzz.chunks import INTERPRETERS, Chunk, command

ROOT = Path(__file__).resolve().parents[2]
PROPERTIES = Path(__file__).with_name("properties.py")
CASES = 400  # some 30 for each target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs select() on pipes")


def run(interpreter, first, count, **job):
    """The Chunk, done."""
    return Chunk(interpreter, first, count, **job).run()


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_a_short_run_finds_nothing(interpreter):
    chunk = run(interpreter, 0, CASES, seed=4)
    assert chunk.next == CASES
    assert not chunk.faults, "\n".join(f"{fault}" for fault in chunk.faults)
    # Each target gets past its first check now and then, and not always to its end.
    assert len(chunk.seen) == 14
    for target, counts in chunk.seen.items():
        assert counts["sound"], (target, counts)
        assert counts["refused"] or target == "date", (target, counts)


def _properties():
    tree = ast.parse(PROPERTIES.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        if isinstance(node, ast.Assign) and node.targets[0].id.startswith("test_"):
            yield node.targets[0].id


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no SIGVTALRM here")
@pytest.mark.parametrize("name", list(_properties()))
def test_property(name, tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "tests_host" / "corpus" / "runner.py", PROPERTIES, name],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    report = re.findall(r"^@corpus (\{.*\"passed\".*\})$", result.stdout, re.MULTILINE)
    assert report, result.stdout[-3000:] + result.stderr[-3000:]
    assert json.loads(report[-1])["passed"], json.loads(report[-1])["text"]


# --- the fuzzer itself --------------------------------------------------------------------------


def test_a_case_is_the_same_each_time_and_on_both_interpreters(tmp_path):
    script = tmp_path / "cases.py"
    script.write_text(
        f"import sys; sys.path[:0] = [{str(PROPERTIES.parent)!r}]\n"
        "import mutations, jsontext, source\n"
        "jsontext.DEEPEST = 5\n"
        "for n in range(200):\n"
        "    s = source.Seeded(3, n)\n"
        "    t = jsontext.changed(s, ((b'a', b'1'), (b'b', b'[2]')))\n"
        "    print(mutations.mutated(s, t, (b'xyz',)).hex())\n"
    )
    outputs = {
        subprocess.run(
            [command(interpreter)[0], script], capture_output=True, text=True, check=True
        ).stdout
        for interpreter in INTERPRETERS
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 200


@pytest.mark.ci
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_what_hangs_raises_or_dies_is_reported_and_the_rest_goes_on(interpreter):
    given = [
        ["pem", "1 / 0"],
        ["pem", "[place for place in range(10**15) if place < 0]"],
        ["pem", "__import__('sys').exit(3)"],
        ["date", 'b"HTTP/1.0 200 OK\\r\\n\\r\\n", True'],
        ["no such target", "0"],
    ]
    chunk = run(interpreter, 0, len(given), given=given)
    reported = {fault["case"]: fault["fault"] for fault in chunk.faults}
    assert reported[0] == "pem: ZeroDivisionError in the fuzzer itself"
    assert "hangs" in reported[1]
    assert "SystemExit" in reported[2]
    assert 3 not in reported
    assert "KeyError" in reported[4]


def test_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "tests_host.fuzz", "--cases", "60", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["cases"], summary["seed"], summary["on"]) == (60, 1, "micropython")
    assert summary["faults"] == []


def test_the_codes_are_those_of_the_documentation():
    text = (ROOT / "docs" / "errors.md").read_text("utf-8").partition("## Of the commands")[0]
    documented = set(re.findall(r"^\| `([a-z.0-9]+)`", text, re.MULTILINE))
    judge = (PROPERTIES.parent / "judge.py").read_text("utf-8")
    here = set(
        re.findall(r"\"([a-z]+(?:\.[a-z]+)?)\"", judge.split("CODES = ")[1].split("\n}")[0])
    )
    assert {code for code in documented if not code.startswith("login.")} == here
