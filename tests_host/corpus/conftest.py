"""Collects device_*.py twice: each test function once on CPython, once on real MicroPython.

A file is run once for each interpreter and worker, in a process of its own, with all that was
asked for of it; the items then look up how their function fared. What a run printed must not
hold a secret of canaries.py: an item of its own, `secrets_stay_secret`, says so.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests_host.corpus import canaries
from tests_host.corpus.tlsservers import TlsServers

RUNNER = Path(__file__).with_name("runner.py")
INTERPRETERS = ("cpython", "micropython")
TIMEOUT_S = float(os.environ.get("CORPUS_TIMEOUT", "60"))
CANARY_ITEM = "secrets_stay_secret"
_REPORT = re.compile(r"^@corpus (\{.*\})$", re.MULTILINE)
_RUNS = pytest.StashKey()


def pytest_configure(config):
    config.stash[_RUNS] = Runs()


def pytest_unconfigure(config):
    runs = config.stash.get(_RUNS, None)
    if runs:
        runs.close()


def pytest_collect_file(file_path, parent):
    # A file named on the command line is a Python module to pytest, whatever its name: below.
    if _is_corpus(file_path) and not parent.session.isinitpath(file_path):
        return CorpusFile.from_parent(parent, path=file_path)
    return None


def pytest_pycollect_makemodule(module_path, parent):
    return CorpusFile.from_parent(parent, path=module_path) if _is_corpus(module_path) else None


def _is_corpus(path):
    return path.name.startswith("device_") and path.suffix == ".py"


class CorpusFile(pytest.File):
    def collect(self):
        tree = ast.parse(self.path.read_text("utf-8"), str(self.path))
        tests = {
            node.name: node.lineno
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }
        for interpreter in INTERPRETERS:
            for test, line in {**tests, CANARY_ITEM: 1}.items():
                yield CorpusItem.from_parent(
                    self, name=f"{test}[{interpreter}]", place=(test, interpreter, line)
                )


class CorpusFailure(Exception):
    """A test of the corpus failed; the text is all that there is to show."""


class CorpusItem(pytest.Item):
    def __init__(self, *, place, **keywords):
        super().__init__(**keywords)
        self.test, self.interpreter, self.line = place

    def runtest(self):
        wanted = sorted(
            item.test
            for item in self.session.items
            if isinstance(item, CorpusItem)
            and (item.path, item.interpreter) == (self.path, self.interpreter)
            and item.test != CANARY_ITEM
        )
        run = self.config.stash[_RUNS].of(self.path, self.interpreter, wanted)
        if self.test == CANARY_ITEM:
            leaks = canaries.leaks(run.output)
            if leaks:
                raise CorpusFailure("the output holds " + "; ".join(leaks))
            return
        result = run.results.get(self.test)
        if result is None:
            raise CorpusFailure(f"no result of {self.test}: {run.end}\n{run.output}")
        self.add_report_section("call", "output", run.printed(self.test))
        if not result["passed"]:
            raise CorpusFailure(result["text"])

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, CorpusFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.line - 1, self.name


class Run:
    """What came of one file in one interpreter: results by test, the output, how it ended."""

    def __init__(self, output, end):
        self.output = output
        self.end = end
        reports = [json.loads(text) for text in _REPORT.findall(output)]
        self.results = {report["test"]: report for report in reports if "passed" in report}

    def printed(self, test):
        """What the test printed: all between its two reports."""
        start = self.output.find("@corpus " + json.dumps({"test": test}))
        lines = self.output[start:].split("\n")[1:]
        end = next((i for i, line in enumerate(lines) if line.startswith("@corpus ")), len(lines))
        return "\n".join(lines[:end]).strip()


class Runs:
    """All runs of this worker, and the TLS servers that some of them talk to."""

    def __init__(self):
        self._runs = {}
        self._servers = None

    def of(self, path, interpreter, wanted):
        key = (path, interpreter)
        if key not in self._runs:
            self._runs[key] = self._run(path, interpreter, wanted)
        return self._runs[key]

    def _run(self, path, interpreter, wanted):
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        if "fakes.servers()" in path.read_text("utf-8"):
            self._servers = self._servers or TlsServers()
            environment["CORPUS_SERVERS"] = str(self._servers.description)
        command = [*_command(interpreter), RUNNER.as_posix(), path.as_posix(), *wanted]
        try:
            process = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            output, end = error.stdout or b"", f"stopped after {TIMEOUT_S:g} s"
        else:
            output, end = process.stdout, f"the run ended with exit code {process.returncode}"
        return Run(output.decode("utf-8", "replace"), end)

    def close(self):
        if self._servers:
            self._servers.close()


def _command(interpreter):
    if interpreter == "cpython":
        return [sys.executable, "-u"]
    found = shutil.which("micropython", path=sysconfig.get_path("scripts"))
    if not found and sys.platform == "win32":
        pytest.skip("there is no MicroPython for Windows on PyPI")
    if not found:
        raise CorpusFailure("no micropython beside this Python; ./dev setup installs it")
    return [found]
