"""Each function of machine.py in a process of its own, whose modules are the board's.

What begins with test_slow_ is for `./dev long`.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

MACHINE = Path(__file__).with_name("machine.py")
RUNNER = MACHINE.parents[1] / "corpus" / "runner.py"
TIMEOUT_S = 120 + int(os.environ.get("MODEL_EXAMPLES", "0"))
TESTS = [
    node.name
    for node in ast.parse(MACHINE.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]
MARKS = {"test_slow_": pytest.mark.slow, "test_it_notices_": pytest.mark.ci}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[mark for start, mark in MARKS.items() if name.startswith(start)])
        for name in TESTS
    ],
)
def test_model(name, tmp_path):
    result = subprocess.run(
        [sys.executable, RUNNER, MACHINE, name],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
    )
    report = re.findall(r"^@corpus (\{.*\"passed\".*\})$", result.stdout, re.MULTILINE)
    assert report, result.stdout[-3000:] + result.stderr[-3000:]
    assert json.loads(report[-1])["passed"], json.loads(report[-1])["text"]
