"""One MQTT connection from its CONNECT to its end (protocol section 4)."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Protocol

from .. import rules
from ..store import Device
from . import framing, packets
from .framing import Framer, Malformed
from .login import ACCEPTED, Peer, Refused
from .outbox import Outbox, SessionFaults

REFUSED = 0x80  # SUBACK return code
WRITE_TIMEOUT = 10.0
_GRACE = 1.5  # times the keep-alive
_READ = 4096
_IDS = 65535
_SHOWN_FINGERPRINT = 8
_SHOWN_CLIENT_ID = re.compile(r"[A-Za-z0-9:_-]{1,80}")


class Host(Protocol):
    """What a session asks of the broker: who may come in, and where messages go."""

    connect_timeout: float

    @property
    def faults(self) -> SessionFaults: ...

    def emit(self, event: str, /, **fields: object) -> None:
        """Report an event."""
        ...

    def record(self, conn: int, direction: str, raw: bytes, /) -> None:
        """Keep a raw packet, "in" or "out"."""
        ...

    def login(self, session: Session, connect: packets.Connect) -> Device:
        """The device that is let in, or Refused."""
        ...

    def received(self, session: Session, device: Device, publish: packets.Publish) -> None:
        """Route a device's message."""
        ...


class Ended(Exception):
    """The connection is over; the message is the reason as the disconnect event gives it."""


class Session:
    """A connection; `client_id` is that of its login, "" before it."""

    def __init__(
        self,
        broker: Host,
        number: int,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.client_id = ""
        self.peer = peer
        self._broker = broker
        self._number = number
        self._reader = reader
        self._writer = writer
        record = partial(broker.record, number, "out")
        self._out = Outbox(writer, record, broker.faults)
        self._framer = Framer()
        self._task: asyncio.Task | None = None
        self._subscriptions: dict[str, int] = {}
        self._last_id = 0
        self._kicked = False
        self._shown_client_id: str | None = None  # never text that may hold a secret

    async def run(self) -> None:
        """Serve the connection to its end and report that; raises nothing but cancellation."""
        self._task = task = asyncio.current_task()
        try:
            reason = await self._reason()
        except asyncio.CancelledError:
            if task is None or not self._kicked:
                self.report("disconnect", reason="hub")
                raise
            task.uncancel()
            reason = "kicked"
        if reason is not None:
            self.report("disconnect", reason=reason)

    async def _reason(self) -> str | None:
        """Why it ended; None when the login was refused, which is reported here."""
        try:
            device, keepalive = await self._login()
            while True:
                await self._serve_packet(device, keepalive)
        except Refused as refused:
            if refused.code is not None:
                self._out.send(framing.connack(refused.code))
            self.report("login_refused", code=refused.code, reason=str(refused))
            return None
        except Ended as ended:
            return str(ended)
        except Malformed as malformed:
            return f"protocol: {malformed}"
        except OSError:  # a reset, or TLS that ended without a word
            return "eof"

    def kick(self) -> None:
        """End the session from outside."""
        self._kicked = True
        if self._task is not None:
            self._task.cancel()

    def report(self, event: str, **fields: object) -> None:
        """Report an event of this connection."""
        self._broker.emit(event, conn=self._number, client_id=self._shown_client_id, **fields)

    def deliver(self, topic: str, payload: bytes, qos: int) -> bool:
        """Send a message at the lower of its QoS and the granted one, if subscribed to it."""
        granted = [
            granted
            for topic_filter, granted in self._subscriptions.items()
            if rules.matches(topic_filter, topic)
        ]
        if not granted:
            return False
        qos = min(qos, max(granted))
        if qos:
            self._last_id = self._last_id % _IDS + 1
        self._out.send(framing.publish(topic, payload, qos, self._last_id))
        return True

    async def _packet(self, limit: float | None) -> packets.Packet:
        """The next packet, which must be whole within `limit` seconds, else TimeoutError."""
        async with asyncio.timeout(limit):
            while (frame := self._framer.next()) is None:
                data = await self._reader.read(_READ)
                if not data:
                    raise Ended("eof")
                self._framer.feed(data)
        self._broker.record(self._number, "in", frame)
        return packets.decode(frame)

    async def _login(self) -> tuple[Device, int]:
        limit = self._broker.connect_timeout
        try:
            connect = await self._packet(limit)
        except TimeoutError:
            raise Ended(f"protocol: no CONNECT within {limit:g} s") from None
        if not isinstance(connect, packets.Connect):
            raise Malformed("the first packet is not CONNECT")
        if _SHOWN_CLIENT_ID.fullmatch(connect.client_id):
            self._shown_client_id = connect.client_id
        await asyncio.sleep(self._broker.faults.login_wait())
        device = self._broker.login(self, connect)
        self.client_id = connect.client_id
        self._out.send(framing.connack(ACCEPTED))
        shown = self.peer.fingerprint
        self.report(
            "login",
            tls=self.peer.security,
            client_certificate=shown and shown[:_SHOWN_FINGERPRINT],
            keepalive=connect.keepalive,
            clean_session=connect.clean,
            first=not device.activated,
        )
        return device, connect.keepalive

    async def _serve_packet(self, device: Device, keepalive: int) -> None:
        try:
            packet = await self._packet(keepalive * _GRACE if keepalive else None)
        except TimeoutError:
            raise Ended("keepalive") from None
        match packet:
            case packets.Publish():
                self._publish(device, packet)
            case packets.Subscribe():
                self._subscribe(device, packet)
            case packets.Unsubscribe():
                self._unsubscribe(packet)
            case packets.Puback():
                pass  # nothing is ever sent again, so nothing waits for it
            case packets.Pingreq():
                self._out.send(framing.pingresp())
            case packets.Disconnect():
                raise Ended("client")
            case _:
                raise Malformed("a second CONNECT")
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._writer.drain()
        except TimeoutError:
            raise Ended("protocol: the client does not read") from None

    def _publish(self, device: Device, packet: packets.Publish) -> None:
        if packet.qos > 1:
            raise Malformed("QoS 2 is not supported")
        if packet.retain:
            raise Malformed("retain is not supported")
        if len(packet.payload) > rules.MAX_PAYLOAD:
            raise Malformed(f"payload over {rules.MAX_PAYLOAD} bytes")
        if fault := rules.topic_fault(packet.topic):
            raise Malformed(fault)
        if not rules.may_publish(device.product_id, device.name, packet.topic):
            raise Malformed(f"publishing to {packet.topic} is not allowed")
        self.report("publish", topic=packet.topic, qos=packet.qos, size=len(packet.payload))
        if packet.qos:
            self._out.send(framing.puback(packet.packet_id))
        self._broker.received(self, device, packet)

    def _subscribe(self, device: Device, packet: packets.Subscribe) -> None:
        if len(packet.filters) != 1:
            raise Malformed("more than one filter in a SUBSCRIBE")
        topic_filter, qos = packet.filters[0]
        if fault := rules.topic_fault(topic_filter):
            raise Malformed(fault)
        allowed = rules.may_subscribe(device.product_id, device.name, topic_filter)
        granted = qos if allowed and qos <= 1 else REFUSED
        if granted != REFUSED:
            self._subscriptions[topic_filter] = granted
        self._out.send(framing.suback(packet.packet_id, granted))
        self.report("subscribe", topic=topic_filter, qos=qos, granted=granted)

    def _unsubscribe(self, packet: packets.Unsubscribe) -> None:
        for topic_filter in packet.filters:
            self._subscriptions.pop(topic_filter, None)
            self.report("unsubscribe", topic=topic_filter)
        self._out.send(framing.unsuback(packet.packet_id))
