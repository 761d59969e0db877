"""The data template of IoT Explorer: properties, events, actions. Source: protocol section 7c."""

import asyncio
import json
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from .. import rules
from ..events import Journal
from ..store import Device, Store
from .rrpc import USUAL_S
from .service import Publish, Request, own
from .text import dump, parsed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS things (
    product_id TEXT NOT NULL,
    name TEXT NOT NULL,
    reported TEXT NOT NULL,
    control TEXT NOT NULL,
    info TEXT NOT NULL,
    PRIMARY KEY (product_id, name),
    FOREIGN KEY (product_id, name) REFERENCES devices (product_id, name) ON DELETE CASCADE
);
"""
_REFUSED = 400  # `code` of a report that is none; the cloud's 406 is for the template
_SPARE = 1024  # bytes of a message that properties leave free, so that they can be sent
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """What the cloud has of a device.

    `reported` are its properties, `control` what was set and neither done nor cleared yet, `info`
    what it has said about itself.
    """

    reported: Values
    control: Values
    info: Values


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a control or an action; `code` is None where no reply came in time."""

    receivers: int
    code: int | None
    status: str
    response: Any = None


class Things:
    """Those of all devices, in hub.db."""

    kinds = tuple(f"$thing/up/{kind}" for kind in ("property", "event", "action"))

    def __init__(self, store: Store, journal: Journal, publish: Publish) -> None:
        self._execute = store.tables(_SCHEMA)
        self._emit = journal.emit
        self._publish = publish
        self._numbers = count(1)
        self._waiting: dict[tuple[str, str], asyncio.Future[Values]] = {}

    def thing(self, device: Device) -> Thing:
        """What a device has reported; empty before."""
        row = self._execute(
            "SELECT reported, control, info FROM things WHERE product_id = ? AND name = ?",
            (device.product_id, device.name),
        ).fetchone()
        return Thing(*map(json.loads, row)) if row else Thing({}, {}, {})

    async def control(self, device: Device, params: Values, timeout: float = USUAL_S) -> Done:
        """Set properties; what is not done is kept until the device asks. HubError: too large."""
        thing = self.thing(device)
        _check(wanted := {**thing.control, **params})
        self._save(device, Thing(thing.reported, wanted, thing.info))
        message = {"method": "control", "params": params}
        done = await self._call(device, "property", message, timeout)
        if done.code == 0:
            self._clear(device, params)
        return done

    async def act(
        self, device: Device, action: str, params: Values, timeout: float = USUAL_S
    ) -> Done:
        """Have a device do something. HubError: too large."""
        message = {"method": "action", "actionId": action, "params": params}
        return await self._call(device, "action", message, timeout)

    async def _call(self, device: Device, kind: str, message: Values, timeout: float) -> Done:
        token = f"hub-{time.time_ns() // 1_000_000_000}-{next(self._numbers)}"
        payload = dump({**message, "clientToken": token, "timestamp": time.time_ns() // 1_000_000})
        rules.check_payload(payload)
        key = own(device), token
        waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        receivers = 0
        try:
            receivers = self._publish(f"$thing/down/{kind}/{own(device)}", payload)
            reply = await asyncio.wait_for(waiting, timeout) if receivers else None
        except TimeoutError:
            reply = None
        finally:
            del self._waiting[key]
        if reply is None:
            return Done(receivers, None, "")
        code = reply.get("code")
        return Done(
            receivers,
            code if isinstance(code, int) else _REFUSED,
            str(reply.get("status", "")),
            reply.get("response"),
        )

    def asked(self, request: Request) -> None:
        """A device reports, asks, or replies."""
        message = parsed(request.payload)
        if message is None:
            return
        method = message.get("method")
        match request.kind.rpartition("/")[2], method:
            case "property", "report" | "report_info":
                code = self._report(request.device, str(method), message.get("params"))
                self._reply(request, message, f"{method}_reply", code)
            case "property", "get_status":
                thing = self.thing(request.device)
                data = {"report": thing.reported}
                if thing.control:
                    data["control"] = thing.control
                more = {"type": message.get("type", "report"), "data": data}
                self._reply(request, message, "get_status_reply", 0, more)
            case "property", "clear_control":
                self._clear(request.device, self.thing(request.device).control)
                self._reply(request, message, "clear_control_reply", 0)
            case ("property", "control_reply") | ("action", "action_reply"):
                self._replied(request, message)
            case "event", "event_post" | "events_post":
                events = message.get("events", [message])
                self._reply(request, message, "event_reply", self._event(request, events))

    def _report(self, device: Device, method: str, params: Any) -> int:
        if not isinstance(params, dict):
            return _REFUSED
        old = self.thing(device)
        if method == "report":
            new = Thing({**old.reported, **params}, old.control, old.info)
        else:
            new = Thing(old.reported, old.control, {**old.info, **params})
        try:
            _check(new.reported)
            _check(new.info)
        except rules.HubError:
            return _REFUSED
        self._save(device, new)
        self._emit("thing", client_id=device.product_id + device.name, method=method)
        return 0

    def _event(self, request: Request, events: Any) -> int:
        ids = [one.get("eventId") if isinstance(one, dict) else None for one in _list(events)]
        if not ids or not all(isinstance(one, str) for one in ids):
            return _REFUSED
        device = request.device
        for one in ids:
            client_id = device.product_id + device.name
            self._emit("thing", client_id=client_id, method="event_post", id=one)
        return 0

    def _replied(self, request: Request, message: Values) -> None:
        waiting = self._waiting.get((request.own, str(message.get("clientToken"))))
        if waiting and not waiting.done():
            waiting.set_result(message)

    def _clear(self, device: Device, done: Values) -> None:
        """What was set so is to be done no more."""
        thing = self.thing(device)
        left = {key: value for key, value in thing.control.items() if done.get(key) != value}
        if left != thing.control:
            self._save(device, Thing(thing.reported, left, thing.info))

    def _save(self, device: Device, thing: Thing) -> None:
        values = (json.dumps(part) for part in (thing.reported, thing.control, thing.info))
        self._execute(
            "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?)",
            (device.product_id, device.name, *values),
        )

    def _reply(
        self, request: Request, message: Values, method: str, code: int, more: Values | None = None
    ) -> None:
        answer = {
            "method": method,
            "clientToken": message.get("clientToken", ""),
            "code": code,
            "status": "success" if code == 0 else "what was sent is not valid",
            **(more or {}),
        }
        kind = request.kind.replace("/up/", "/down/")
        request.answer(f"{kind}/{request.own}", dump(answer))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _check(values: Values) -> None:
    """HubError where so much could not be sent."""
    if len(dump(values)) > rules.MAX_PAYLOAD // 2 - _SPARE:
        raise rules.HubError(f"more than {rules.MAX_PAYLOAD // 2 - _SPARE} bytes of properties")
