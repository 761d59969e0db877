"""`./dev long` is honest: what fails, or dies without a result, is said, with exit code 1."""

import json
import sys

import pytest

from tests_host.long import __main__ as long
from tests_host.long.__main__ import BEGIN, END, Outcome, Part

RUNS = {
    "good": "def test_one():\n    pass\n",
    "bad": "def test_one():\n    pass\n\n\ndef test_two():\n    assert 1 == 2\n",
    "none": "raise ImportError\n",
}


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Small parts in the place of the real ones, and a page of their own."""
    made = {}
    for name, source in RUNS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_it.py").write_text(source)
        (tmp_path / name / "pytest.ini").write_text("[pytest]\n")
        ini = str(tmp_path / name / "pytest.ini")
        made[name] = Part(name, ("pytest", "-q", "-c", ini, str(tmp_path / name)), long._tests)
    made["dies"] = Part("dies", ("no_such_module",), long._cases)
    page = tmp_path / "long.md"
    page.write_text(f"# Head\n\n{BEGIN}\nold\n{END}\ntail\n")
    monkeypatch.setattr(long, "PARTS", made)
    monkeypatch.setattr(long, "PAGE", page)
    return page


@pytest.mark.parametrize(
    ("only", "code", "results"),
    [
        (["good"], 0, ["1 passed, 0 failed"]),
        (
            ["bad", "none", "dies"],
            1,
            [
                "1 passed, 1 failed",
                "0 passed, 1 failed",
                "ended with exit code 1, without a result",
            ],
        ),
    ],
)
def test_exit_code_and_summary(parts, monkeypatch, capfd, only, code, results):
    monkeypatch.setattr(sys, "argv", ["long", "--json", "--only", *only])
    assert long.main() == code
    found = json.loads(capfd.readouterr().out.splitlines()[-1])["parts"]
    assert [part["result"] for part in found] == results
    assert "old" in parts.read_text(), "a part of it is no last whole run"


def test_the_page_is_written_between_its_marks(parts):
    long.write([Outcome("good", True, "1 passed", 70), Outcome("bad", False, "1 failed", 50)])
    text = parts.read_text()
    assert text.startswith(f"# Head\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\ntail\n")
    assert "2 minutes" in text
    assert "| good | good | 1 passed | 70 |" in text
    assert "| bad | bad | **failed**: 1 failed | 50 |" in text
    assert "old" not in text
