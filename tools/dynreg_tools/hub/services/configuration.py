"""Remote configuration: what a device gets when it asks, and as soon as it is pushed.

Source: protocol section 7 (remote config).
"""

import json
from typing import Any

from .. import rules
from ..events import Journal
from ..store import Device, Store
from .service import Publish, Request, own
from .text import dump, parsed

NONE = 1001  # the result where there is none
_SCHEMA = """
CREATE TABLE IF NOT EXISTS configurations (
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    configuration TEXT NOT NULL,
    PRIMARY KEY (product_id, name),
    FOREIGN KEY (product_id, name) REFERENCES devices (product_id, name) ON DELETE CASCADE
);
"""


class Configurations:
    """The configuration of each device, a JSON object."""

    kinds = ("$config/operation",)

    def __init__(self, store: Store, journal: Journal, publish: Publish) -> None:
        self._execute = store.tables(_SCHEMA)
        self._emit = journal.emit
        self._publish = publish

    def of(self, device: Device) -> dict[str, Any] | None:
        """A device's configuration; None where it has none."""
        row = self._execute(
            "SELECT configuration FROM configurations WHERE product_id = ? AND name = ?",
            (device.product_id, device.name),
        ).fetchone()
        return json.loads(row[0]) if row else None

    def push(self, device: Device, configuration: dict[str, Any]) -> int:
        """Give a device this configuration; how many hear of it now. HubError: too large."""
        message = dump({"type": "push", "payload": configuration})
        rules.check_payload(message)
        self._execute(
            "INSERT OR REPLACE INTO configurations VALUES (?, ?, ?)",
            (device.product_id, device.name, json.dumps(configuration)),
        )
        self._report(device, "pushed")
        return self._publish(f"$config/operation/result/{own(device)}", message, 1)

    def remove(self, device: Device) -> bool:
        """From now on it has none; False where it had none."""
        found = self._execute(
            "DELETE FROM configurations WHERE product_id = ? AND name = ?",
            (device.product_id, device.name),
        )
        if found.rowcount:
            self._report(device, "removed")
        return found.rowcount > 0

    def _report(self, device: Device, change: str) -> None:
        self._emit("configuration", client_id=device.product_id + device.name, change=change)

    def asked(self, request: Request) -> None:
        """Answer {"type":"get"}."""
        if (parsed(request.payload) or {}).get("type") != "get":
            return
        found = self.of(request.device)
        answer = {"type": "reply", "result": NONE if found is None else 0, "payload": found or {}}
        request.answer(f"$config/operation/result/{request.own}", dump(answer))
