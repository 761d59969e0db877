"""Parts of this package that need more than its own dependencies, loaded with a clear refusal."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import ToolError

_LABELS = ("PIL", "fpdf", "pypdfium2", "segno")


def load(module: str, what: str) -> Any:
    """The module, by its name below this package; ToolError says what `what` cannot do without."""
    try:
        return import_module(f".{module}", __package__)
    except ModuleNotFoundError as error:
        if error.name in ("fcntl", "pty", "termios"):
            raise ToolError(
                f"{what} needs the pty of Linux or macOS: use WSL here, or a real board"
            ) from None
        if (error.name or "").startswith(str(__package__)):
            raise
        extra = "labels" if error.name in _LABELS else "hub"
        raise ToolError(
            f"{what} needs {error.name}, which is not installed: pip install 'dynreg[{extra}]'"
        ) from None
