"""What a report says of a board beside the outcome: by whom, for what and of which kind it is."""

from __future__ import annotations

from typing import Any

from .. import sources
from .batch import Batch


def of_batch(batch: Batch) -> dict[str, str]:
    """product, region (or the host of a gateway of one's own), tools (this command's version)."""
    gateway = (batch.values.get("endpoint") or {}).get("gateway")
    own = f"{batch.info.gateway.host}:{batch.info.gateway.port}"
    return {
        "product": batch.info.product_id,
        "region": own if gateway else batch.values.get("region") or _first_region(),
        "tools": sources.version(),
    }


def of_board(board: dict[str, Any], batch: Batch) -> dict[str, Any]:
    """mac, device, chip, micropython of identify()'s answer.

    device: as it is registered, else as the batch's file will name it.
    """
    device = board["device"] if board["registered"] else None
    return {
        "mac": board["mac"],
        "device": device or batch.name_of(board["mac"]),
        "chip": chip(board["machine"]),
        "micropython": board["micropython"],
    }


def library(board: dict[str, Any]) -> str:
    """The release of dynreg that a board runs after a deploy: its firmware's, else ours."""
    return board["frozen"] or sources.version()


def chip(machine: str) -> str:
    """ESP32S3 from "Generic ESP32S3 module with ESP32S3" (os.uname().machine)."""
    return machine.rsplit(" with ", 1)[-1]


def _first_region() -> str:
    return sources.library("storage.device_file").REGIONS[0].split()[0]
