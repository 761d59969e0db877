"""`./dev size`, in a repository of its own."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from dynreg_tools.sources import LIB

GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")


@pytest.fixture
def repository(tmp_path):
    for part in ("tools", "lib"):
        shutil.copytree(
            LIB.parent / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*GIT, *command], cwd=tmp_path, check=True)
    return tmp_path


def size(folder, *arguments):
    command = [sys.executable, "-m", "dynreg_tools", "size", *arguments]
    theirs = os.environ | {"PYTHONPATH": str(folder / "tools")}
    return subprocess.run(
        command, cwd=folder, env=theirs, capture_output=True, text=True, timeout=60
    )


@pytest.mark.ci
def test_what_changed_since_the_last_commit(repository):
    dynreg = repository / "lib" / "dynreg"
    with open(dynreg / "connect" / "backoff.py", "a", encoding="utf-8") as file:
        file.write("\n\ndef more(value):\n    return value + 1\n")
    (dynreg / "fresh.py").write_text("A = 'something new'\n")
    (dynreg / "roots" / "globalsign.py").unlink()
    result = size(repository, "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    modules = found["modules"]
    assert (
        modules["dynreg/connect/backoff.py"]["bytes"]
        > modules["dynreg/connect/backoff.py"]["before"]
    )
    assert modules["dynreg/fresh.py"]["before"] is None
    assert modules["dynreg/roots/globalsign.py"]["bytes"] is None
    assert modules["dynreg/connect/tls.py"]["bytes"] == modules["dynreg/connect/tls.py"]["before"]
    now, before = found["total"], found["before"]["total"]
    assert now["dynreg"] > before["dynreg"]
    assert now["certificates"] < before["certificates"]
    assert now["all"] == sum(m["bytes"] for m in modules.values() if m["bytes"])

    rows = {line.split()[0]: line.split() for line in size(repository).stdout.splitlines() if line}
    more = (
        modules["dynreg/connect/backoff.py"]["bytes"]
        - modules["dynreg/connect/backoff.py"]["before"]
    )
    assert rows["dynreg/connect/backoff.py"][-1] == f"+{more}"
    assert len(rows["dynreg/connect/tls.py"]) == 3  # no change, no sign


def test_a_commit_that_is_not_there(repository):
    result = size(repository, "--against", "v9")
    assert result.returncode == 1
    assert result.stderr.startswith("dynreg: git does not give lib/ of v9: ")


def test_a_source_that_does_not_compile(repository):
    (repository / "lib" / "dynreg" / "fresh.py").write_text("def (:\n")
    result = size(repository)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("dynreg: ")
    assert "fresh.py" in result.stderr
