"""Collects device_*.py: each test function is an item for CPython and one for each MicroPython.

runner.py has one file and one interpreter, and is given the tests one by one. A crash or a hang
ends it and fails that one test; the next gets a new one. What a test printed is a section of its
report, so secret_search.py looks through it.
"""

import ast
import functools
import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer

import pytest

from tests_host.corpus.tlsservers import TlsServers
from tests_host.interpreters import commands

RUNNER = Path(__file__).with_name("runner.py")
TIMEOUT_S = float(os.environ.get("CORPUS_TIMEOUT", "60"))


def pytest_pycollect_makemodule(module_path, parent):
    if module_path.name.startswith("device_"):
        return CorpusFile.from_parent(parent, path=module_path)
    return None


@functools.cache
def servers(session):
    """The path of what tlsservers.py says of its servers, which are there until the end."""
    made = TlsServers()
    session.addfinalizer(made.close)
    return str(made.description)


class CorpusFile(pytest.File):
    process = None

    def collect(self):
        for interpreter, command in commands(self.config).items():
            for node in ast.parse(self.path.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    item = CorpusItem.from_parent(self, name=f"{node.name}[{interpreter}]")
                    item.test, item.line, item.command = node.name, node.lineno, command
                    yield item

    def run(self, test, command):
        """What the test printed, and its report; the report is a text if the process ended."""
        wanted = [*command, RUNNER.as_posix(), self.path.as_posix(), "-"]
        if not self.process or self.process.args != wanted or self.process.poll() is not None:
            self.teardown()
            environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
            if "fakes.servers()" in self.path.read_text("utf-8"):
                environment["CORPUS_SERVERS"] = servers(self.session)
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.process = subprocess.Popen(
                wanted, env=environment, encoding="utf-8", errors="replace", **pipes
            )
        output, began = "", time.monotonic()
        hung = Timer(TIMEOUT_S, self.process.kill)
        hung.start()
        with suppress(BrokenPipeError):  # it ended before it read: the output says why
            self.process.stdin.write(test + "\n")
            self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("@corpus "):
                hung.cancel()
                return output, json.loads(line[8:])
            output += line
        hung.cancel()
        code = self.process.wait()  # the next test looks whether it still runs
        if time.monotonic() - began >= TIMEOUT_S:
            return output, f"hangs for {TIMEOUT_S:g} s"
        return output, f"ends with exit code {code}"

    def teardown(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None


class CorpusItem(pytest.Item):
    def runtest(self):
        output, report = self.parent.run(self.test, self.command)
        self.add_report_section("call", "output", output)
        if isinstance(report, str):
            pytest.fail(f"no result of {self.test}: the process {report}\n{output}", pytrace=False)
        if report["skipped"]:
            pytest.skip(report["skipped"])
        if not report["passed"]:
            pytest.fail(report["text"], pytrace=False)

    def reportinfo(self):
        return self.path, self.line - 1, self.name
