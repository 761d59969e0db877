"""For the whole suite: the search for secrets, which MicroPythons, how many power cuts were tried.

The power cuts' figures are the rows of docs/credentials.md.
"""

import os
import signal
from pathlib import Path

from dynreg_tools.build import firmware_libraries
from dynreg_tools.errors import ToolError
from tests_host import interpreters
from tests_host.interpreters import pytest_addoption  # noqa: F401
from tests_host.secret_search import (  # noqa: F401
    pytest_configure,
    pytest_runtest_makereport,
    pytest_runtest_setup,
)

pytest_plugins = ["dynreg_tools.testing.plugin"]

# What a test starts finds dynreg_tools as the test itself does, installed or not.
TOOLS = str(Path(__file__).resolve().parents[1] / "tools")
os.environ["PYTHONPATH"] = os.pathsep.join([TOOLS, *filter(None, [os.environ.get("PYTHONPATH")])])
# What a shell runs in the background ignores Ctrl-C, and all that it starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session):
    """What ./dev fetches at set-up, in a venv of one's own too; xdist's workers find it done."""
    if not hasattr(session.config, "workerinput"):
        try:
            firmware_libraries.need(*firmware_libraries.LIBRARIES)
        except ToolError as error:
            print(f"{error}; tests that need it will fail")


def pytest_terminal_summary(terminalreporter):
    interpreters.summary(terminalreporter)
    rows = {}
    for report in terminalreporter.getreports("passed"):
        found = dict(report.user_properties)
        if "cuts_in" in found:
            row = rows.setdefault(found["cuts_in"], [0, 0])
            row[0] += found["cut_points"]
            row[1] += found["file_system_lost"]
    if not rows:
        return
    total, lost = (sum(column) for column in zip(*rows.values(), strict=True))
    rows["all"] = [total, lost]
    terminalreporter.write_line("")
    terminalreporter.write_line("power cuts tried, and how many of them cost FAT its file system")
    for name, (cuts, lost) in rows.items():
        terminalreporter.write_line(f"  {name:40} {cuts:5} {lost:4}")
