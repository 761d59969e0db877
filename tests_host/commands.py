"""The dynreg command in this process: a call costs no start of Python, and a pipe shows the same.

What needs a process (a terminal, Ctrl-C, what `python -m` and ./dev do) starts one.
"""

import io
import json
import os
import signal
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from dynreg_tools import cli
from dynreg_tools.sources import ROOT


@dataclass
class Result:
    """What a run of the command left: exit code, both outputs."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict]:
        """Each line of the output as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


@contextmanager
def _signals_put_back():
    """A command may have handlers of its own until its process ends, which is not here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def dynreg(*arguments: object, cwd: Path = ROOT, **environment: str) -> Result:
    """Runs the command in a folder, with more in its environment, on 80 columns."""
    theirs = {"COLUMNS": "80", "DYNREG_VIRTUAL": ""} | environment
    out, err = io.StringIO(), io.StringIO()
    with (
        chdir(cwd),
        mock.patch.dict(os.environ, theirs),
        redirect_stdout(out),
        redirect_stderr(err),
        _signals_put_back(),
    ):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse's own
            code = ended.code
    return Result(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
