"""What the hub reports: the events with their fields, and a record of raw traffic for tests."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

EVENTS = {
    "registered": "a device got a secret or a certificate, or its own one passed: product_id, "
    "device_name, state (0 new, 1 existed), request_id, scheme",
    "refused": "a registration was refused: code, message, request_id, scheme, and product_id "
    "and device_name where they are known",
    "http_bad": "a request that is no registration: status, reason, scheme",
    "tls_failed": "a TLS handshake failed: port (https or mqtts), reason",
    "login": "a device logged in: conn, client_id, tls (certificate, psk or none), keepalive in "
    "seconds, clean_session, session_present (a session was kept for it), first (true: this login "
    "activated the device), client_certificate (its fingerprint's first 8 hex digits, or null)",
    "login_refused": "a login was refused: conn, client_id, code (of the CONNACK; null when "
    "the connection was closed without one), reason",
    "subscribe": "conn, client_id, topic, qos (asked for), granted (128: refused)",
    "unsubscribe": "conn, client_id, topic",
    "publish": "a device published: conn, client_id, topic, qos, size in bytes",
    "delivered": "a message was sent to a device: client_id, topic, qos, size in bytes",
    "kept": "a message is kept for a device that is offline: client_id, topic, qos, size",
    "undelivered": "a message to a device was dropped: client_id, topic, reason",
    "shadow": "a device's shadow has changed: client_id, version, by (device or cloud)",
    "thing": "a device reports by its data template: client_id, method (report, report_info or "
    "event_post), id (of an event)",
    "time_answered": "a device's MQTT question for the time was answered: conn, client_id",
    "version": "a device said which version of its program it runs: conn, client_id, version",
    "update": "and how far an update is (protocol section 7): conn, client_id, version, state, "
    "percent, code, message",
    "offered": "an update was offered to a device, online or not: client_id, version",
    "cancelled": "and is offered no more: client_id, version",
    "configuration": "a device's remote configuration was changed: client_id, change (pushed or "
    "removed)",
    "time_served": "a question for the time over SNTP was answered",
    "name_asked": "a question for a name's address came over DNS: name",
    "fault": "a fault that was switched on was triggered: name, argument, service",
    "fault_on": "a fault was switched on: name, argument, service",
    "fault_off": "and off, by hand, by its time or after its times: name, argument, service",
    "disconnect": "an MQTT connection ended: conn, client_id, reason (client, kicked, "
    'keepalive, eof, hub, "hub.db: ..." or "protocol: ..." with what the device did wrong)',
    "precreated": "a device was created beforehand: product_id, device_name",
    "deleted": "a device was deleted: product_id, device_name",
    "disabled": "a device was disabled: product_id, device_name",
    "enabled": "and enabled again: product_id, device_name",
    "product": "the switches of registration were turned: register_type, register_limit",
    "dropped": "events that were not printed, since nobody read them: count",
    "out_of_descriptors": "new connections are refused until others end; said again only after a "
    "minute without a refusal: limit (most open files of this process; null: the system's)",
    "internal_error": "a defect of the hub itself: error",
}


def shown_payload(payload: bytes) -> dict[str, str]:
    """What a message holds, in JSON: {"text": …}, or {"hex": …} where it is no plain text."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return {"hex": payload.hex()}
    plain = all(char.isprintable() or char in "\t\r\n" for char in text)
    return {"text": text} if plain else {"hex": payload.hex()}


class Packet(NamedTuple):
    """An MQTT control packet; `conn` as in the events, `direction` as the hub sees it."""

    conn: int
    direction: str
    raw: bytes


class Journal:
    """Takes events in the hub's thread and gives them to any thread.

    With `record` false nothing is kept and `on_event` alone gets each event, in the hub's thread.
    With `payloads` the event of a message also has what it holds, as shown_payload() gives it.
    """

    def __init__(
        self,
        on_event: Callable[[dict], None] | None,
        *,
        record: bool,
        payloads: bool = False,
    ) -> None:
        self.requests: list[bytes] = []
        self.packets: list[Packet] = []
        self._on_event = on_event
        self._record = record
        self._payloads = payloads
        self._listeners: list[Callable[[dict, bytes | None], None]] = []
        self._events: list[dict] = []
        self._changed = threading.Condition()

    def listen(self, listener: Callable[[dict, bytes | None], None]) -> None:
        """Give each event from now on, with the bytes of its message, in the hub's thread."""
        self._listeners.append(listener)

    def emit(self, event: str, *, payload: bytes | None = None, **fields: object) -> None:
        """Report an event, `payload` being what its message holds; KeyError: not in EVENTS."""
        if event not in EVENTS:
            raise KeyError(event)
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = {"event": event, "at": at, **fields}
        for listener in self._listeners:
            listener(entry, payload)
        if self._payloads and payload is not None:
            entry = {**entry, "payload": shown_payload(payload)}
        if self._on_event is not None:
            self._on_event(entry)
        if self._record:
            with self._changed:
                self._events.append(entry)
                self._changed.notify_all()

    def note_request(self, raw: bytes) -> None:
        """Keep the raw bytes of an HTTP request."""
        if self._record:
            self.requests.append(raw)

    def note_packet(self, conn: int, direction: str, raw: bytes) -> None:
        """Keep a raw MQTT packet."""
        if self._record:
            self.packets.append(Packet(conn, direction, raw))

    def events(self) -> list[dict]:
        """All events so far."""
        with self._changed:
            return list(self._events)

    def wait_for(self, event: str, timeout: float, count: int, match: dict) -> dict:
        """The `count`-th event of that name with these fields, past or to come; TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [
                    entry
                    for entry in self._events
                    if entry["event"] == event
                    and all(key in entry and entry[key] == match[key] for key in match)
                ]
                if len(found) >= count:
                    return found[count - 1]
                if not self._changed.wait(deadline - time.monotonic()):
                    seen = [entry for entry in self._events if entry["event"] == event]
                    raise TimeoutError(f"no {event} {match} within {timeout:g} s; seen: {seen}")
