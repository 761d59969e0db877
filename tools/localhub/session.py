"""One MQTT connection from its CONNECT to its end (protocol section 4)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from . import framing, packets, rules
from .faults import later
from .framing import Framer, Malformed
from .login import ACCEPTED, Refused

if TYPE_CHECKING:
    from .broker import Broker
    from .login import Peer
    from .store import Device

REFUSED = 0x80  # SUBACK return code
WRITE_TIMEOUT = 10.0
_GRACE = 1.5  # times the keep-alive
_READ = 4096
_IDS = 65535
_SHOWN_FINGERPRINT = 8
_SHOWN_CLIENT_ID = re.compile(r"[A-Za-z0-9:_-]{1,80}")


class Ended(Exception):
    """The connection is over; the message is the reason as the disconnect event gives it."""


class Session:
    """A connection; `client_id` and `device` are set by the broker's login."""

    def __init__(
        self,
        broker: Broker,
        number: int,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.client_id = ""
        self.device: Device | None = None
        self.peer = peer
        self._broker = broker
        self._number = number
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._task = asyncio.current_task()
        self._subscriptions: dict[str, int] = {}
        self._last_id = 0
        self._held: list[bytes | None] | None = None  # what waits behind a late CONNACK
        self._kicked = False
        self._shown_client_id: str | None = None  # never text that may hold a secret

    async def run(self) -> None:
        """Serve the connection to its end and report that; raises nothing but cancellation."""
        try:
            reason = await self._reason()
        except asyncio.CancelledError:
            if not self._kicked:
                self.report("disconnect", reason="hub")
                raise
            self._task.uncancel()
            reason = "kicked"
        if reason is not None:
            self.report("disconnect", reason=reason)

    async def _reason(self) -> str | None:
        """Why it ended; None when the login was refused, which is reported here."""
        try:
            keepalive = await self._login()
            while True:
                await self._serve_packet(keepalive)
        except Refused as refused:
            if refused.code is not None:
                self._send(framing.connack(refused.code))
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
        self._send(framing.publish(topic, payload, qos, self._last_id))
        return True

    def _send(self, frame: bytes) -> None:
        fault = self._broker.faults.trigger("packet", on=frame[0] >> 4)
        parts = fault.kind.act(frame, fault.argument) if fault else [(0, frame)]
        for wait, part in parts:
            if wait and frame[0] >> 4 == framing.CONNACK:
                self._held = []
                later(wait, self._release, part)
            elif self._held is not None:
                self._held.append(part)
            else:
                later(wait, self._write, part)

    def _release(self, connack: bytes) -> None:
        """Send a late CONNACK, and what has waited behind it."""
        held, self._held = self._held, None
        for part in (connack, *held):
            self._write(part)

    def _write(self, frame: bytes | None) -> None:
        """Send; None, as a fault may say, closes."""
        if frame is None:
            self._writer.close()
        elif not self._writer.is_closing():
            self._broker.record(self._number, "out", frame)
            self._writer.write(frame)

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

    async def _login(self) -> int:
        limit = self._broker.connect_timeout
        try:
            connect = await self._packet(limit)
        except TimeoutError:
            raise Ended(f"protocol: no CONNECT within {limit:g} s") from None
        if not isinstance(connect, packets.Connect):
            raise Malformed("the first packet is not CONNECT")
        if _SHOWN_CLIENT_ID.fullmatch(connect.client_id):
            self._shown_client_id = connect.client_id
        if fault := self._broker.faults.trigger("slow"):
            await asyncio.sleep(fault.argument)
        self._broker.login(self, connect)
        self._send(framing.connack(ACCEPTED))
        shown = self.peer.fingerprint
        self.report(
            "login",
            tls=self.peer.security,
            client_certificate=shown and shown[:_SHOWN_FINGERPRINT],
            keepalive=connect.keepalive,
            clean_session=connect.clean,
            first=not self.device.activated,
        )
        return connect.keepalive

    async def _serve_packet(self, keepalive: int) -> None:
        try:
            packet = await self._packet(keepalive * _GRACE if keepalive else None)
        except TimeoutError:
            raise Ended("keepalive") from None
        match packet:
            case packets.Publish():
                self._publish(packet)
            case packets.Subscribe():
                self._subscribe(packet)
            case packets.Unsubscribe():
                self._unsubscribe(packet)
            case packets.Puback():
                pass  # nothing is ever sent again, so nothing waits for it
            case packets.Pingreq():
                self._send(framing.pingresp())
            case packets.Disconnect():
                raise Ended("client")
            case _:
                raise Malformed("a second CONNECT")
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._writer.drain()
        except TimeoutError:
            raise Ended("protocol: the client does not read") from None

    def _publish(self, packet: packets.Publish) -> None:
        if packet.qos > 1:
            raise Malformed("QoS 2 is not supported")
        if packet.retain:
            raise Malformed("retain is not supported")
        if len(packet.payload) > rules.MAX_PAYLOAD:
            raise Malformed(f"payload over {rules.MAX_PAYLOAD} bytes")
        if fault := rules.topic_fault(packet.topic):
            raise Malformed(fault)
        if not rules.may_publish(self.device.product_id, self.device.name, packet.topic):
            raise Malformed(f"publishing to {packet.topic} is not allowed")
        self.report("publish", topic=packet.topic, qos=packet.qos, size=len(packet.payload))
        if packet.qos:
            self._send(framing.puback(packet.packet_id))
        self._broker.received(self, packet)

    def _subscribe(self, packet: packets.Subscribe) -> None:
        if len(packet.filters) != 1:
            raise Malformed("more than one filter in a SUBSCRIBE")
        topic_filter, qos = packet.filters[0]
        if fault := rules.topic_fault(topic_filter):
            raise Malformed(fault)
        allowed = rules.may_subscribe(self.device.product_id, self.device.name, topic_filter)
        granted = qos if allowed and qos <= 1 else REFUSED
        if granted != REFUSED:
            self._subscriptions[topic_filter] = granted
        self._send(framing.suback(packet.packet_id, granted))
        self.report("subscribe", topic=topic_filter, qos=qos, granted=granted)

    def _unsubscribe(self, packet: packets.Unsubscribe) -> None:
        for topic_filter in packet.filters:
            self._subscriptions.pop(topic_filter, None)
            self.report("unsubscribe", topic=topic_filter)
        self._send(framing.unsuback(packet.packet_id))
