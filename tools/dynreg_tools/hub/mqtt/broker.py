"""The MQTT broker: all sessions, and whose messages go where.

Who may log in is login.py's, one session's life session.py's.

Source: protocol sections 4 (limits), 6 (time) and 7 (topics).
"""

import asyncio
import json
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from ..later import later
from ..store import Device, Store
from ..tls.certificates import fingerprint
from ..tls.psk import uses_psk
from .login import BAD_CREDENTIALS, NOT_AUTHORIZED, Peer, Refused, check_login
from .outbox import SessionFaults
from .packets import Connect, Publish
from .session import Session

CONNECT_TIMEOUT = 10.0


class BrokerFaults(SessionFaults, Protocol):
    """What may go wrong on purpose at a login and when a device asks for the time."""

    def psk_login(self, password: bool) -> bool:
        """Whether a login over TLS-PSK, with or without a password, is refused."""
        ...

    def login(self) -> int | None:
        """The CONNACK's code of a login that is refused."""
        ...

    def time(self, answer: dict) -> list[tuple[float, bytes]]:
        """(seconds to wait, payload) of the answer."""
        ...


class Broker:
    """All sessions of the hub.

    `emit` reports an event, `record` gets (connection number, "in" or "out", raw packet),
    `connect_interval` is the least number of seconds between two logins of a device (0: no such
    limit), `connect_timeout` how many seconds a CONNECT may take to arrive, `faults` what goes
    wrong on purpose.
    """

    def __init__(
        self,
        store: Store,
        emit: Callable[..., None],
        record: Callable[[int, str, bytes], None],
        *,
        connect_interval: float = 0,
        connect_timeout: float = CONNECT_TIMEOUT,
        faults: BrokerFaults,
    ) -> None:
        self.emit = emit
        self.record = record
        self.connect_timeout = connect_timeout
        self.faults = faults
        self._store = store
        self._connect_interval = connect_interval
        self._sessions: dict[str, Session] = {}
        self._last_login: dict[str, float] = {}
        self._numbers = count(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, over TLS or not, to its end."""
        session = Session(self, next(self._numbers), _peer(writer), reader, writer)
        try:
            await session.run()
        finally:
            if self._sessions.get(session.client_id) is session:
                del self._sessions[session.client_id]

    def login(self, session: Session, connect: Connect) -> Device:
        """The device of a session that is let in, as it was before; else Refused.

        The first login activates it.
        """
        device = check_login(self._store, connect, session.peer, time.time())
        password = "password" if connect.password is not None else "no password"
        if session.peer.security == "psk" and self.faults.psk_login(connect.password is not None):
            raise Refused(BAD_CREDENTIALS, f"a fault on purpose: {password} under TLS-PSK")
        if code := self.faults.login():
            raise Refused(code, "a fault on purpose")
        client_id = connect.client_id
        now = time.monotonic()
        last = self._last_login.get(client_id)
        if last is not None and now - last < self._connect_interval:
            raise Refused(NOT_AUTHORIZED, f"more than one login in {self._connect_interval:g} s")
        self._last_login[client_id] = now
        self.kick(client_id)
        self._sessions[client_id] = session
        if not device.activated:
            self._store.activate(device.product_id, device.name)
        return device

    def kick(self, client_id: str) -> bool:
        """End a device's session; False when it has none."""
        session = self._sessions.pop(client_id, None)
        if session is not None:
            session.kick()
        return session is not None

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> int:
        """Send a message to its subscribers; how many there were."""
        sessions = list(self._sessions.values())
        return sum(session.deliver(topic, payload, qos) for session in sessions)

    def received(self, session: Session, device: Device, publish: Publish) -> None:
        """Route a device's message, and answer it when it asks for the time."""
        arrived = time.time_ns() // 1_000_000
        own = f"{device.product_id}/{device.name}"
        if publish.topic == f"{own}/data":
            self.publish(publish.topic, publish.payload, publish.qos)
        elif publish.topic == f"$sys/operation/{own}" and _asks_for_time(publish.payload):
            sent = time.time_ns() // 1_000_000
            answer = {"type": "get", "time": sent // 1000, "ntptime1": arrived, "ntptime2": sent}
            for wait, payload in self.faults.time(answer):
                later(wait, self._answer_time, session, f"$sys/operation/result/{own}", payload)

    def _answer_time(self, session: Session, topic: str, payload: bytes) -> None:
        if session.deliver(topic, payload, 0):
            session.report("time_answered")


def _peer(writer: asyncio.StreamWriter) -> Peer:
    tls = writer.get_extra_info("ssl_object")
    if tls is None:
        return Peer("none")
    if uses_psk(tls):
        return Peer("psk", psk_identity=tls.psk_identity)
    der = tls.getpeercert(binary_form=True)
    return Peer("certificate", fingerprint(der) if der else None)


def _asks_for_time(payload: bytes) -> bool:
    """Whether this is {"type":"get","resource":["time"]} (protocol section 6)."""
    try:
        request = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    if not isinstance(request, dict) or request.get("type") != "get":
        return False
    resource = request.get("resource")
    return isinstance(resource, list) and "time" in resource
