"""One check after the other, each with its outcome, whatever became of those before."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ToolError

_LIMIT_S = 600  # for one command: a slow line, a slow disk
_LAST = 600  # characters of what a command said that failed


class ReleaseError(ToolError):
    """A check that failed; the message is one sentence, or one a line."""


@dataclass
class Steps:
    """What was checked, and how it came out."""

    done: list[dict[str, Any]] = field(default_factory=list)

    def run(self, name: str, check: Callable[[], str]) -> bool:
        """Runs one check, which returns what it saw in a few words; whether it held."""
        say(f"{len(self.done) + 1}. {name} …")
        began = time.monotonic()
        try:
            detail, ok = check(), True
        except ToolError as error:
            detail, ok = str(error), False
        except Exception as error:  # the checks after it go on
            detail, ok = f"{type(error).__name__}: {error}", False
        seconds = round(time.monotonic() - began, 1)
        self.done.append({"step": name, "ok": ok, "seconds": seconds, "detail": detail})
        say(f"   {'ok' if ok else 'FAILED'}, {seconds} s: {detail}")
        return ok

    @property
    def ok(self) -> bool:
        return all(step["ok"] for step in self.done)


def say(text: str) -> None:
    """Progress, for a person."""
    print(f"release: {text}", file=sys.stderr, flush=True)


def command(
    *words: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    accepted: Sequence[int] = (0,),
) -> str:
    """What a command printed, both outputs; ReleaseError with its last words where it failed."""
    try:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
        )
    except FileNotFoundError:
        raise ReleaseError(f"there is no {words[0]} here: install it") from None
    except subprocess.TimeoutExpired:
        raise ReleaseError(f"'{_shown(words)}' is not done in {_LIMIT_S} s") from None
    said = done.stdout + done.stderr
    if done.returncode not in accepted:
        last = said.strip()[-_LAST:]
        raise ReleaseError(f"'{_shown(words)}' ended with {done.returncode}: {last}")
    return said


def _shown(words: Sequence[str | Path]) -> str:
    first, *rest = words
    return " ".join([Path(first).name, *map(str, rest)])
