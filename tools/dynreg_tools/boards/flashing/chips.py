"""firmware/boards.toml: what must be known of each chip."""

import tomllib
from dataclasses import dataclass
from functools import cache

from ...sources import ROOT

TABLE = ROOT / "firmware" / "boards.toml"


@dataclass(frozen=True)
class Chip:
    """name: as esptool calls it. offset: of a MicroPython firmware in flash, bytes."""

    name: str
    chip_id: int
    offset: int
    download: str


@cache
def chips() -> dict[str, Chip]:
    """All chips that can be flashed, by name."""
    with TABLE.open("rb") as file:
        return {name: Chip(name, **values) for name, values in tomllib.load(file).items()}


def by_id(chip_id: int) -> Chip | None:
    return next((chip for chip in chips().values() if chip.chip_id == chip_id), None)


def downloads() -> str:
    """Which file is for which chip, for a person who has none yet."""
    return ", ".join(f"{chip.download} for {chip.name}" for chip in chips().values())
