"""What the relay wants done, in its order."""

from dataclasses import dataclass
from typing import Any

# Where the interpreter looks for an exception to raise, what lies there then, bytes of a word.
Pending = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Start:
    """Start MicroPython; config is the volatile part of what firmware/_boot.py reads."""

    config: dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """End MicroPython, or wait for it where it ends by itself; then printed() and gone()."""

    kill: bool


@dataclass(frozen=True, slots=True)
class Type:
    """Bytes for MicroPython's terminal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C for MicroPython."""

    pending: Pending | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """Serial output."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Forget:
    """What was typed on the port and not read yet is gone."""


@dataclass(frozen=True, slots=True)
class Unplug:
    """The port goes away, with the power that its cable brought."""


Action = Start | End | Type | Interrupt | Show | Forget | Unplug
