"""docs/timeouts.md has every time-out and limit of lib/, commands and hub, as the code has it.

After a change that is meant: `DYNREG_GOLDEN=write ./dev test tests_host/api_page`.
"""

import ast
import os
import re

import pytest

from dynreg_tools import sources
from tests_host.api_page import timeouts

FOLDERS = [
    sources.LIB,
    *(sources.ROOT / "tools/dynreg_tools" / n for n in ("boards", "bundles", "commands", "hub")),
]
NAMED = re.compile(r"(_MS|_S|SECONDS|TIMEOUT)$|MOST|LARGEST|LIMIT|MAX|\bTRIES|_TRIES|SPARE")
ARGUMENTS = {"ms", "timeout", "seconds", "keepalive", "attempts"}
# What ends nothing and refuses nothing: how often something is looked at, sizes of pieces, or the
# same once more.
LEFT_OUT = {
    "lib/dynreg/connect/connection.py": {"_LATER_MS"},  # backoff.py's
    "lib/dynreg/connect/link.py": {"_SLICE_MS"},
    "lib/dynreg/mqtt/acknowledged.py": {"_SLICE_MS"},
    "lib/dynreg/mqtt/refine.py": {"_GOOD_MS", "_SLACK_MS"},
    "lib/dynreg/mqtt/timesync.py": {"_FRESH_MS"},
    "lib/dynreg/services/_replies.py": {"_SLICE_MS"},
    "lib/dynreg/services/aio.py": {
        *("_STEP_MS", "_STEP_S", "Client.__init__(attempts)", "Client.__init__(keepalive)"),
    },
    "lib/dynreg/services/ota/__init__.py": {"_HOUR_MS"},  # no wait is as long
    "lib/dynreg/services/queue.py": {"_TWO_HOURS_MS"},  # what `writes` is counted by
    "lib/dynreg/services/setup/dns.py": {"_TTL_S"},  # of an answer
    "lib/dynreg/services/setup/server.py": {"_DRAIN_MS", "_STEP_MS"},
    "lib/hub/hub.py": {"QcloudHub.dynregDevice(timeout)"},  # not used
    "tools/dynreg_tools/boards/entering.py": {"_ANSWER_S", "_GAP_S", "_STARTS_S", "_START_S"},
    "tools/dynreg_tools/boards/flashing/littlefs.py": {"_SPARE", "_TRIES"},
    "tools/dynreg_tools/boards/fleet.py": {"_POLL_S"},
    "tools/dynreg_tools/boards/labels.py": {"LARGEST", "LARGEST_MAC"},  # of type
    "tools/dynreg_tools/boards/lines.py": {"_MAX_LINE", "_POLL_S"},
    "tools/dynreg_tools/boards/link.py": {"Link.exec(timeout)", "_PAUSE_S"},
    "tools/dynreg_tools/boards/reportlock.py": {"_PAUSE_S", "_TRIES"},
    "tools/dynreg_tools/boards/resets.py": {"_MAX_LINE"},
    "tools/dynreg_tools/boards/wire.py": {"_POLL_S", "_RESET_S"},
    "tools/dynreg_tools/bundles/pack.py": {"SECONDS"},  # that of --seconds
    "tools/dynreg_tools/commands/herd.py": {"--seconds"},  # of a measurement
    "tools/dynreg_tools/hub/database.py": {"connect timeout="},  # no other process has it
    "tools/dynreg_tools/commands/board.py": {"_EXIT_TIMEOUT"},
    "tools/dynreg_tools/commands/hub_output.py": {"_END_S", "_TICK_S"},
    "tools/dynreg_tools/commands/hub_updates.py": {"_POLL_S"},
    "tools/dynreg_tools/commands/labels.py": {"_MOST_MM"},
    "tools/dynreg_tools/commands/watch.py": {"--seconds", "_WAIT_S"},
    "tools/dynreg_tools/hub/faults/mqtt.py": {"_LARGEST"},  # a fault on purpose
    "tools/dynreg_tools/hub/http/connection.py": {"_RAW_LIMIT"},
    "tools/dynreg_tools/hub/hub.py": {"Hub.wait_for(timeout)"},  # a test's own
    "tools/dynreg_tools/hub/mqtt/packets.py": {"_MAX_QOS"},
    "tools/dynreg_tools/hub/rules.py": {
        "MAX_DEVICE_NAME",
        "MAX_SECRET",
        "NONCE_LIMIT",
    },
    "tools/dynreg_tools/hub/services/shadow.py": {"_SPARE"},
    "tools/dynreg_tools/hub/services/thing.py": {"_SPARE"},
    "tools/dynreg_tools/hub/tls/device_ca.py": {"_MAX_NAME"},
    "tools/dynreg_tools/hub/workbench/feed.py": {"_GATHER_S"},
}


def test_the_page_has_the_codes_values():
    text = timeouts.PAGE.read_text("utf-8")
    if os.environ.get("DYNREG_GOLDEN") == "write":
        timeouts.main()
    assert timeouts.PAGE.read_text("utf-8") == timeouts.written(text)


ROWS = [row for _, row in timeouts.rows(timeouts.PAGE.read_text("utf-8"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.cells[0][:40])
def test_no_number_is_typed_in_another_cell(row):
    for cell in (row.cells[0], row.cells[2]):
        assert not re.search(r"\d+ ?(ms|s|min|h|KB|bytes)\b", cell)


# A code that shares its row, an attribute, events of the hub.
OTHERS = {"login.4", "session.refused", "tls_failed", "undelivered"}


def test_its_codes_are_those_of_errors_md():
    page = (sources.ROOT / "docs" / "errors.md").read_text("utf-8")
    for row in ROWS:
        for code in re.findall(
            r"`([a-z]+(?:\.[a-z0-9]+)?)`", row.cells[2].partition("**to change")[0]
        ):
            assert f"| `{code}` " in page or code in OTHERS, code


def _constants(path, tree):
    for name, value in timeouts.constants(tree.body):
        numbers = [n for n in ast.walk(value) if isinstance(n, ast.Constant)]
        if NAMED.search(name) and any(isinstance(n.value, int | float) for n in numbers):
            yield name


def _arguments(tree):
    """As the page writes them: join(ms), Session.publish(ms)."""
    tops = [(node, "") for node in tree.body]
    tops += [
        (part, f"{node.name}.")
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for part in node.body
    ]
    for node, owner in tops:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for argument, value in timeouts.defaults(node.args):
                number = isinstance(value, ast.Constant) and isinstance(value.value, int | float)
                if argument.arg in ARGUMENTS and (number and value.value):
                    yield f"{owner}{node.name}({argument.arg})"


def _calls(tree):
    """Calls that are given a number as timeout=."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant):
                    yield f"{ast.unparse(node.func).rpartition('.')[2]} timeout="


def _options(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add_argument"):
            first = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            if first in ("--timeout", "--seconds"):
                yield first


def every():
    """(path in the repository, name) of each time-out and limit that the sources name so."""
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.py")):
            tree = timeouts.parsed(path)
            for name in {
                *_constants(path, tree),
                *_arguments(tree),
                *_calls(tree),
                *_options(tree),
            }:
                yield path.relative_to(sources.ROOT).as_posix(), name


def _on_the_page():
    for row in ROWS:
        for place in row.places:
            file, _, name = place.partition(" ")
            path = (row.folder / file).relative_to(sources.ROOT).as_posix()
            yield path, name.replace("onboard.call timeout=", "call timeout=")


def test_every_time_out_and_limit_is_on_the_page_or_left_out_for_a_reason():
    left_out = {(path, name) for path, names in LEFT_OUT.items() for name in names}
    known = {*_on_the_page(), *left_out}
    assert {one for one in every() if one not in known} == set()
    assert left_out - set(every()) == set()
