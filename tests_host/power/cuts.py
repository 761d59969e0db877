"""Power cuts, one engine: whatever writes to a board's flash, ended at each of its flash writes.

The block at hand is left in one of five states (virtualboard.board.TORN), or in them in turn. A
cut that a test fails at is named as a list of (write, state), one for each power-on in order; with
that list in DYNREG_REPLAY the same test tries it alone.
"""

import ast
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dynreg_tools.virtualboard import Board, Running
from dynreg_tools.virtualboard.board import TORN

IN_TURN = "in turn"
# Each cut point in one of the states by default; in each of them by `./dev long`.
STATES = [IN_TURN, *(pytest.param(state, marks=pytest.mark.slow) for state in TORN)]
_MOST = 2000  # cut points; whatever is tried has fewer
_END_S = 30


def settle(running: Running, says: str = "") -> bool:
    """Waits until the power is lost (True), says is printed, or a prompt stands (False).

    A program that fails ends at a prompt, so this ends too. TimeoutError, with the board's output.
    """
    deadline = time.monotonic() + _END_S
    while not running.power_lost:
        if running.state in ("up", "dead") or (says and says in running.output):
            return False
        if time.monotonic() > deadline:
            raise TimeoutError(f"neither the end nor a cut in {_END_S} s:\n{running.output}")
        running.wait_change(1)
    return True


def back_from(output: str) -> str:
    """Where the credential came back from at the power-on after a cut, by what the board says.

    "1", "2": the first, the second copy, which healed the other; "b": both were whole; "-": there
    was none yet, or none any more.
    """
    if "the second copy was" in output:
        return "1"
    if "the copy in" in output:
        return "2"
    unregistered = "STATE none" in output.partition("COPIES")[0] or "register: stored" in output
    return "-" if unregistered else "b"


def every_cut(
    folder: Path,
    scratch: Path,
    attempt: Callable[[Board, list[dict]], bool],
    torn: str = IN_TURN,
    first: int = 1,
    step: int = 1,
) -> int:
    """How many cuts were tried, from the first on, until an attempt has no write left to cut at.

    attempt(board, powers) is given a copy of folder's board and, for each power-on in order, what
    power_on() is to get; it powers the board on so, once more with {}, looks at what has become of
    it, and returns whether the power was lost. What it raises says how to try that cut again.
    """
    replay = os.environ.get("DYNREG_REPLAY")
    if replay:
        _try(folder, scratch, attempt, ast.literal_eval(replay))
        return 1
    for count in range(_MOST):
        at = first + count * step
        state = TORN[at % len(TORN)] if torn == IN_TURN else torn
        if not _try(folder, scratch, attempt, [(at, state)]):
            return count
    raise AssertionError(f"a board that writes more than {_MOST} times")


def _try(folder, scratch, attempt, cuts):
    copy = scratch / "cut"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    powers = [{"power_cut": at, "torn": state} for at, state in cuts]
    try:
        return attempt(Board(copy), powers)
    except BaseException as error:
        test = os.environ["PYTEST_CURRENT_TEST"].partition(" (")[0]
        error.add_note(f"this cut again: DYNREG_REPLAY=\"{cuts}\" pytest '{test}'")
        raise
