"""Which tests a run has: all but CI's own, those of `--fast`, or all of what is named."""

import os
from pathlib import Path

HERE = Path(__file__).parent
# What `--fast` has: no virtual board, no command, and of the corpus what runs on CPython.
FAST = ("localhub", "herd")


def pytest_addoption(parser):
    parser.addoption("--fast", action="store_true", help="no virtual boards, no commands")
    parser.addoption("--ci", action="store_true", help="also what CI alone runs (CONTRIBUTING.md)")


def pytest_ignore_collect(collection_path, config):
    """With --fast, folders without a test of its are not even read."""
    other = collection_path.parent == HERE and collection_path.name not in ("corpus", *FAST)
    return True if config.getoption("fast") and collection_path.is_dir() and other else None


def pytest_collection_modifyitems(config, items):
    whole = config.getoption("ci") or any(names_a_part(word) for word in config.args)
    fast = config.getoption("fast")
    left = [
        item for item in items if (fast and not _is_fast(item)) or (not whole and _is_cis(item))
    ]
    config.hook.pytest_deselected(items=left)
    without = set(left)
    items[:] = [item for item in items if item not in without]


def names_a_part(word):
    """Whether an argument is a file or folder below tests_host: of those all tests run."""
    parts = Path(os.path.relpath(word.partition("::")[0], HERE)).parts
    return bool(parts) and parts[0] != ".."


def _is_cis(item):
    return "chromium" in getattr(item, "fixturenames", ()) or item.get_closest_marker("ci")


def _is_fast(item):
    folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
    if folder == "corpus":
        return item.name.endswith("[cpython]")
    return folder in FAST and item.get_closest_marker("process") is None
