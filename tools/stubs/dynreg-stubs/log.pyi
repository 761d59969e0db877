from typing import Final

DEBUG: Final = 10
INFO: Final = 20
WARNING: Final = 30
ERROR: Final = 40

level: int

def line(name: str, text: str) -> None:
    """One line on the console; a program may put its own function in this one's place."""

def debug(text: str) -> None:
    """Writes a line of text where `level` lets it through."""

def info(text: str) -> None:
    """Writes a line of text where `level` lets it through."""

def warning(text: str) -> None:
    """Writes a line of text where `level` lets it through."""

def error(text: str) -> None:
    """Writes a line of text where `level` lets it through."""
