"""Device shadows: what devices report and what is desired of them. Source: protocol section 7."""

import json
import time
from dataclasses import dataclass
from typing import Any

from .. import rules
from ..events import Journal
from ..rules import HubError
from ..store import Device, Store
from .service import Publish, Request, own
from .text import dump, parsed

REFUSED, CONFLICT = 5001, 5005  # `result` of what cannot be, and of another version
_SCHEMA = """
CREATE TABLE IF NOT EXISTS shadows (
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    reported TEXT NOT NULL,
    desired TEXT,
    version INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (product_id, name),
    FOREIGN KEY (product_id, name) REFERENCES devices (product_id, name) ON DELETE CASCADE
);
"""
_SPARE = 1024  # bytes of a message that a document leaves free, so that it can be sent
State = dict[str, Any]


class Conflict(HubError):
    """The shadow has another version."""


@dataclass(frozen=True, slots=True)
class Document:
    """A shadow; `desired` is None where nothing is, `timestamp` Unix ms of the last change."""

    reported: State
    desired: State | None
    version: int
    timestamp: int

    @property
    def delta(self) -> State:
        """What is desired and not reported."""
        reported = self.reported
        return {
            key: value
            for key, value in (self.desired or {}).items()
            if key not in reported or reported[key] != value
        }

    def state(self) -> dict[str, State]:
        """As the answer to a "get" has it."""
        parts = {"reported": self.reported, "desired": self.desired, "delta": self.delta}
        return {name: part for name, part in parts.items() if part or name == "reported"}


class Shadows:
    """The shadows of all devices, in hub.db."""

    kinds = ("$shadow/operation",)

    def __init__(self, store: Store, journal: Journal, publish: Publish) -> None:
        self._execute = store.tables(_SCHEMA)
        self._emit = journal.emit
        self._publish = publish

    def document(self, device: Device) -> Document:
        """A device's shadow; that of a device that has none yet is empty, its version 0."""
        row = self._execute(
            "SELECT reported, desired, version, timestamp FROM shadows"
            " WHERE product_id = ? AND name = ?",
            (device.product_id, device.name),
        ).fetchone()
        if row is None:
            return Document({}, None, 0, _now())
        reported, desired, version, timestamp = row
        return Document(json.loads(reported), desired and json.loads(desired), version, timestamp)

    def desire(self, device: Device, state: State | None, version: int = 0) -> Document:
        """What the cloud's API does: merge into what is desired, None: nothing is; push the delta.

        Conflict where `version` is not 0 and not the shadow's; HubError: too large.
        """
        before = self.document(device)
        document = self._change(device, before, {"desired": state}, version, "cloud")
        if document.delta:
            payload = {"state": document.delta, **_stamps(document)}
            push = {"type": "delta", "payload": payload, "timestamp": _now() // 1000}
            self._publish(f"$shadow/operation/result/{own(device)}", dump(push), 1)
        return document

    def asked(self, request: Request) -> None:
        """A device reads or reports."""
        message = parsed(request.payload)
        if message is None:
            return
        kind = message.get("type")
        token = message.get("clientToken")
        answer: dict[str, Any] = {"clientToken": token if isinstance(token, str) else str(token)}
        if kind == "get":
            document = self.document(request.device)
            answer["payload"] = {"state": document.state(), **_stamps(document)}
            answer |= {"result": 0, "timestamp": _now() // 1000, "type": "get"}
        elif kind == "update":
            answer |= self._update(request.device, message)
        else:
            return
        request.answer(f"$shadow/operation/result/{request.own}", dump(answer))

    def _update(self, device: Device, message: State) -> dict[str, Any]:
        """What the answer says beside the token."""
        before = self.document(device)
        version = message.get("version", 0)
        result, state = 0, message.get("state")
        try:
            if type(version) is not int:
                raise HubError("version is no number")
            if not isinstance(state, dict) or not set(state) <= {"reported", "desired"}:
                raise HubError("state is not reported and desired")
            after = self._change(device, before, state, version, "device")
        except Conflict:
            result, after = CONFLICT, before
        except HubError:
            result, after = REFUSED, before
        shown = after.state() if result else _changed(before, state)
        return {
            "payload": {"state": shown, **_stamps(after)},
            "result": result,
            "timestamp": _now(),
            "type": "update",
        }

    def _change(
        self, device: Device, before: Document, state: State, version: int, by: str
    ) -> Document:
        if version and version != before.version:
            raise Conflict(f"the shadow has version {before.version}, not {version}")
        for part in state.values():
            if part is not None and not isinstance(part, dict):
                raise HubError("a state is a JSON object, or null")
        desired = before.desired
        if "desired" in state:
            desired = _merged(desired or {}, state["desired"]) or None
        reported = before.reported
        if "reported" in state:
            reported = _merged(reported, state["reported"])
        document = Document(reported, desired, before.version + 1, _now())
        if len(dump(document.state())) > rules.MAX_PAYLOAD - _SPARE:
            raise HubError(f"a shadow of more than {rules.MAX_PAYLOAD - _SPARE} bytes")
        self._execute(
            "INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(device.product_id, device.name, json.dumps(reported)),
                *(desired and json.dumps(desired), document.version, document.timestamp),
            ),
        )
        self._emit(
            "shadow", client_id=device.product_id + device.name, version=document.version, by=by
        )
        return document


def _merged(old: State, new: State | None) -> State:
    """`old` with the keys of `new`; a key that is null there goes away, null alone takes all."""
    if new is None:
        return {}
    return {key: value for key, value in {**old, **new}.items() if value is not None}


def _changed(before: Document, state: Any) -> State:
    """What an answer shows of an update: the values that are new, as the cloud's logs have it."""
    old = {"reported": before.reported, "desired": before.desired or {}}
    return {
        part: values and {key: new for key, new in values.items() if old[part].get(key) != new}
        for part, values in state.items()
    }


def _stamps(document: Document) -> dict[str, int]:
    return {"timestamp": document.timestamp, "version": document.version}


def _now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000
