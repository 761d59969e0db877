"""The MQTT broker: all connections, and whose messages go where.

Who may log in is login.py's, a connection's life connection.py's, a session's session.py's.

What the cloud does with messages on its own topics is services/'s. Source: protocol sections 4
(limits) and 7 (topics).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Protocol

from .. import rules
from ..events import Journal
from ..later import later
from ..limits import Limits
from ..services.service import Request, Service
from ..store import Device, Store
from ..tls.certificates import fingerprint
from ..tls.psk import uses_psk
from .connection import Connection
from .login import BAD_CREDENTIALS, NOT_AUTHORIZED, Peer, Refused, check_login
from .outbox import SessionFaults
from .packets import Connect, Publish
from .session import Session
from .state import SessionState


class BrokerFaults(SessionFaults, Protocol):
    """What may go wrong on purpose at a login."""

    def psk_login(self, password: bool) -> bool:
        """Whether a login over TLS-PSK, with or without a password, is refused."""
        ...

    def login(self) -> int | None:
        """The CONNACK's code of a login that is refused."""
        ...


class Broker:
    """All connections of the hub; `faults` is what goes wrong on purpose."""

    def __init__(
        self, store: Store, journal: Journal, limits: Limits, faults: BrokerFaults
    ) -> None:
        self.journal = journal
        self.limits = limits
        self.faults = faults
        self._store = store
        self._connections: dict[str, Connection] = {}  # by client id
        self._states: dict[str, SessionState] = {}  # by client id
        self._subscribers: dict[str, dict[str, None]] = {}  # filter -> client ids, in their order
        self._last_login: dict[str, float] = {}
        self._services: Mapping[str, Service] = {}
        self._numbers = count(1)
        for client_id, granted in store.sessions.all().items():
            self._states[client_id] = self._new_state(client_id, granted)
            for topic_filter in granted:
                self.subscribe(client_id, topic_filter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, over TLS or not, to its end."""
        connection = Connection(self, next(self._numbers), _peer(writer), reader, writer)
        try:
            await connection.run()
        finally:
            session = connection.session
            if session and self._connections.get(session.client_id) is connection:
                self._forget(session.client_id)

    def login(self, connection: Connection, connect: Connect) -> tuple[Device, SessionState, bool]:
        """Let a connection in, or Refused: its device, its session, whether there was one before.

        The device is as it was before; its first login activates it. StoreError when that or the
        session cannot be kept, and then nothing has changed.
        """
        peer = connection.peer
        device = check_login(self._store, connect, peer, time.time(), strict=self.limits.strict)
        password = "password" if connect.password is not None else "no password"
        if peer.security == "psk" and self.faults.psk_login(connect.password is not None):
            raise Refused(BAD_CREDENTIALS, f"a fault on purpose: {password} under TLS-PSK")
        if code := self.faults.login():
            raise Refused(code, "a fault on purpose")
        client_id, interval = connect.client_id, self.limits.connect_interval
        now = time.monotonic()
        last = self._last_login.get(client_id)
        if last is not None and now - last < interval:
            raise Refused(NOT_AUTHORIZED, f"more than one login in {interval:g} s")
        if not device.activated:
            self._store.activate(device.product_id, device.name)
        state = self._states.get(client_id)
        kept = state is not None and state.persistent
        if kept and connect.clean:
            self._store.sessions.end(client_id)
        elif not kept and not connect.clean:
            self._store.sessions.open(client_id, device.product_id, device.name)
        self._last_login[client_id] = now
        self.kick(client_id)
        self._connections[client_id] = connection
        return device, *self._session(client_id, clean=connect.clean)

    def connection(self, client_id: str) -> Connection | None:
        """A device's connection, if it has logged in."""
        return self._connections.get(client_id)

    def subscriptions(self, client_id: str) -> list[str]:
        """The filters of a device's session, which may outlive its connection."""
        state = self._states.get(client_id)
        return sorted(state.granted) if state else []

    def _session(self, client_id: str, *, clean: bool) -> tuple[SessionState, bool]:
        """The session of a login, as the store has it by now, and whether there was one before."""
        state = self._states.get(client_id)
        if state and not clean:
            return state, True
        if state:
            self._end_session(state)
        state = self._states[client_id] = self._new_state(client_id, None if clean else {})
        return state, False

    def _new_state(self, client_id: str, kept: dict[str, int] | None) -> SessionState:
        """The state of a session, persistent when what is kept of it is given."""
        report = partial(self.journal.emit, client_id=client_id)
        return SessionState(
            client_id, report, None if kept is None else self._store.sessions, kept
        )

    def kick(self, client_id: str) -> bool:
        """End a device's connection, and its session if it was deleted; False: no connection."""
        connection = self._connections.get(client_id)
        if connection is not None:
            self._forget(client_id)
            connection.kick()
        state = self._states.get(client_id)
        if state and self._store.device_by_client_id(client_id) is None:
            self._end_session(state)
        return connection is not None

    def subscribe(self, client_id: str, topic_filter: str) -> None:
        """From now on messages under this filter come to the client."""
        self._subscribers.setdefault(topic_filter, {})[client_id] = None

    def unsubscribe(self, client_id: str, topic_filter: str) -> None:
        """And no more."""
        clients = self._subscribers.get(topic_filter, {})
        clients.pop(client_id, None)
        if not clients:
            self._subscribers.pop(topic_filter, None)

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> int:
        """Send a message to its subscribers, or keep it for them; to how many."""
        found = {
            client_id: None
            for topic_filter in rules.filters_over(topic)
            for client_id in self._subscribers.get(topic_filter, ())
        }
        return sum(self._states[one].deliver(topic, payload, qos) for one in found)

    def serve_topics(self, services: Mapping[str, Service]) -> None:
        """From now on a device's messages on these kinds of topics go to these services."""
        self._services = services

    def received(self, session: Session, publish: Publish) -> None:
        """Route a device's message: to the other devices, or to the service of its topic."""
        arrived = time.time_ns() // 1_000_000
        device = session.device
        if publish.topic == f"{device.product_id}/{device.name}/data":
            self.publish(publish.topic, publish.payload, publish.qos)
            return
        kind, tail = rules.kind_of(device.product_id, device.name, publish.topic)
        service = self._services.get(kind)
        if service:
            answer = partial(self._answer, session)
            request = Request(device, kind, tail, publish.payload, arrived, answer, session.report)
            service.asked(request)

    def _answer(
        self,
        session: Session,
        topic: str,
        payload: bytes,
        *,
        wait: float = 0,
        told: Callable[[], None] | None = None,
    ) -> None:
        later(wait, self._answer_now, session, topic, payload, told)

    def _answer_now(
        self, session: Session, topic: str, payload: bytes, told: Callable[[], None] | None
    ) -> None:
        connection = self._connections.get(session.client_id)
        there = connection is not None and connection.session is session
        if there and session.state.deliver(topic, payload, 0, told=told is None) and told:
            told()

    def _forget(self, client_id: str) -> None:
        """Takes a connection out of the broker's books, and its session unless that is kept."""
        session = self._connections.pop(client_id).session
        if session:
            session.state.detach()
            if not session.state.persistent:
                self._end_session(session.state)

    def _end_session(self, state: SessionState) -> None:
        del self._states[state.client_id]
        for topic_filter in state.granted:
            self.unsubscribe(state.client_id, topic_filter)


def _peer(writer: asyncio.StreamWriter) -> Peer:
    tls = writer.get_extra_info("ssl_object")
    if tls is None:
        return Peer("none")
    if uses_psk(tls):
        return Peer("psk", psk_identity=tls.psk_identity)
    der = tls.getpeercert(binary_form=True)
    return Peer("certificate", fingerprint(der) if der else None)
