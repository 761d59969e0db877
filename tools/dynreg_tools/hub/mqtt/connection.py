"""The bytes of one MQTT connection, from its CONNECT to its end (protocol section 4)."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any, Protocol

from ..database import StoreError
from ..events import Journal
from ..limits import Limits
from ..store import Device
from . import framing, packets
from .framing import Framer, Malformed
from .login import ACCEPTED, Peer, Refused
from .outbox import Outbox, SessionFaults
from .session import Ended, Router, Session
from .state import SessionState

WRITE_TIMEOUT = 10.0
_GRACE = 1.5  # times the keep-alive
_READ = 4096
_UNREAD = "protocol: the client does not read"
_SHOWN_FINGERPRINT = 8
_SHOWN_CLIENT_ID = re.compile(r"[A-Za-z0-9:_-]{1,80}")


class Host(Router, Protocol):
    """What a connection asks of the broker: who may come in, and for how long it waits."""

    journal: Journal
    limits: Limits

    @property
    def faults(self) -> SessionFaults: ...

    def login(
        self, connection: Connection, connect: packets.Connect, /
    ) -> tuple[Device, SessionState, bool]:
        """Device and session of who is let in, whether there was a session before; or Refused."""
        ...


class Connection:
    """A connection; `session` is None before its login."""

    def __init__(
        self,
        broker: Host,
        number: int,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.peer = peer
        self.session: Session | None = None
        self._broker = broker
        self._number = number
        self._reader = reader
        self._writer = writer
        record = partial(broker.journal.note_packet, number, "out")
        self._out = Outbox(writer, record, broker.faults)
        self._framer = Framer()
        self._task: asyncio.Task | None = None
        self._kicked = False
        self._shown_client_id: str | None = None  # never text that may hold a secret

    async def run(self) -> None:
        """Serve the connection to its end and report that; raises nothing but cancellation."""
        self._task = task = asyncio.current_task()
        try:
            reason = await self._reason()
        except asyncio.CancelledError:
            if task is None or not self._kicked:
                self._report("disconnect", reason="hub")
                raise
            task.uncancel()
            reason = "kicked"
        if reason is not None:
            self._report("disconnect", reason=reason)

    def kick(self) -> None:
        """End the connection from outside."""
        self._kicked = True
        if self._task is not None:
            self._task.cancel()

    async def _reason(self) -> str | None:
        """Why it ended; None when the login was refused, which is reported here."""
        try:
            keepalive = await self._login()
            while True:
                await self._serve_packet(keepalive)
        except Refused as refused:
            self._report("login_refused", code=refused.code, reason=str(refused))
            if refused.code is not None:
                self._out.send(framing.connack(refused.code))
            return None
        except Ended as ended:
            return _UNREAD if self._out.unread else str(ended)
        except Malformed as malformed:
            return f"protocol: {malformed}"
        except StoreError as exc:  # without an answer the device sends it again
            return str(exc)
        except OSError:  # a reset, or TLS that ended without a word
            return _UNREAD if self._out.unread else "eof"

    def _report(self, event: str, **fields: Any) -> None:
        self._broker.journal.emit(
            event, conn=self._number, client_id=self._shown_client_id, **fields
        )

    async def _packet(self, limit: float | None) -> packets.Packet:
        """The next packet, which must be whole within `limit` seconds, else TimeoutError."""
        async with asyncio.timeout(limit):
            while (frame := self._framer.next()) is None:
                data = await self._reader.read(_READ)
                if not data:
                    raise Ended("eof")
                self._framer.feed(data)
        self._broker.journal.note_packet(self._number, "in", frame)
        return packets.decode(frame)

    async def _login(self) -> int:
        """Lets a device in; its keep-alive in seconds."""
        limit = self._broker.limits.connect_timeout
        try:
            connect = await self._packet(limit)
        except TimeoutError:
            raise Ended(f"protocol: no CONNECT within {limit:g} s") from None
        if not isinstance(connect, packets.Connect):
            raise Malformed("the first packet is not CONNECT")
        if _SHOWN_CLIENT_ID.fullmatch(connect.client_id):
            self._shown_client_id = connect.client_id
        wait = self._broker.limits.login_ms / 1000 + self._broker.faults.login_wait()
        await asyncio.sleep(wait)
        try:
            device, state, present = self._broker.login(self, connect)
        except StoreError as exc:  # no code of CONNACK means this without blaming the device
            raise Refused(None, str(exc)) from exc
        self._framer.old = connect.protocol == packets.OLD
        self.session = Session(self._broker, device, self._report, state)
        told = present and connect.protocol == packets.NEW  # MQTT 3.1 has no such flag
        self._out.send(framing.connack(ACCEPTED, session_present=told))
        shown = self.peer.fingerprint
        self._report(
            "login",
            tls=self.peer.security,
            client_certificate=shown and shown[:_SHOWN_FINGERPRINT],
            keepalive=connect.keepalive,
            clean_session=connect.clean,
            session_present=present,
            first=not device.activated,
        )
        state.attach(self._out.send, self._broker.limits.stored_interval)
        return connect.keepalive

    async def _serve_packet(self, keepalive: int) -> None:
        try:
            packet = await self._packet(keepalive * _GRACE if keepalive else None)
        except TimeoutError:
            raise Ended("keepalive") from None
        assert self.session is not None
        for frame in self.session.handle(packet):
            self._out.send(frame)
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._writer.drain()
        except TimeoutError:
            raise Ended(_UNREAD) from None
